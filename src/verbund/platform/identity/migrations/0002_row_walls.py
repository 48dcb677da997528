"""Walls between the bodies in the shared tables: a body's role sees the people who work for that body, and nobody else's.

The owner of the tables (migrations, `verbund` as owner) is exempt; the login role without a body sees no row at all.
"""

from django.db import migrations

WALLS = r"""
CREATE FUNCTION public.identity_my_body() RETURNS uuid LANGUAGE sql STABLE SET search_path = public AS $$
    SELECT id FROM public.tenancy_body WHERE 'body_' || schema_name = current_user
$$;

ALTER TABLE public.identity_assignment ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_body ON public.identity_assignment
    USING (body_id = (SELECT public.identity_my_body()))
    WITH CHECK (body_id = (SELECT public.identity_my_body()));

ALTER TABLE public.identity_person ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_people ON public.identity_person
    USING (
        home_body_id = (SELECT public.identity_my_body())
        OR EXISTS (
            SELECT 1 FROM public.identity_assignment a
            WHERE a.person_id = identity_person.id AND a.body_id = (SELECT public.identity_my_body())
        )
    );

ALTER TABLE public.identity_secondfactor ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_people ON public.identity_secondfactor
    USING (EXISTS (SELECT 1 FROM public.identity_person p WHERE p.id = person_id));

ALTER TABLE public.identity_recoverycode ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_people ON public.identity_recoverycode
    USING (EXISTS (SELECT 1 FROM public.identity_person p WHERE p.id = person_id));

-- Name, address and standing of a person are the home body's business, whoever else employs that person.
CREATE FUNCTION public.identity_guard_person() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    IF current_user LIKE 'body\_%'
        AND OLD.home_body_id IS DISTINCT FROM public.identity_my_body()
        AND (NEW.id, NEW.email, NEW.display_name, NEW.is_active, NEW.home_body_id)
            IS DISTINCT FROM (OLD.id, OLD.email, OLD.display_name, OLD.is_active, OLD.home_body_id)
    THEN
        RAISE insufficient_privilege USING MESSAGE = 'only the home body may change this person';
    END IF;
    IF current_user LIKE 'body\_%' AND NEW.home_body_id IS DISTINCT FROM OLD.home_body_id THEN
        RAISE insufficient_privilege USING MESSAGE = 'the home body of a person is not changed here';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER identity_guard_person BEFORE UPDATE ON public.identity_person
    FOR EACH ROW EXECUTE FUNCTION public.identity_guard_person();

-- A new person, or the one who already has this address: the only thing a body learns of people it does not know.
CREATE FUNCTION public.identity_enlist(new_id uuid, address text, name text, home uuid, at timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    caller text := current_setting('role');
    person uuid;
BEGIN
    IF caller = 'none' AND session_user = 'verbund_app' THEN
        RAISE insufficient_privilege USING MESSAGE = 'a person is enlisted for a body';
    END IF;
    IF caller <> 'none' AND caller IS DISTINCT FROM (SELECT 'body_' || schema_name FROM tenancy_body WHERE id = home) THEN
        RAISE insufficient_privilege USING MESSAGE = 'a person is enlisted for the body of the connection';
    END IF;
    INSERT INTO identity_person (
        id, email, display_name, home_body_id, is_active, password, oidc_issuer, oidc_subject, session_epoch, created_at
    ) VALUES (new_id, address, name, home, true, '', '', '', 0, at)
    ON CONFLICT (email) DO NOTHING;
    SELECT id INTO person FROM identity_person WHERE email = address;
    RETURN person;
END
$$;

CREATE FUNCTION public.identity_address_taken(address text, by_other_than uuid)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM identity_person WHERE email = address AND id <> by_other_than)
$$;
"""

UNDO = """
DROP FUNCTION public.identity_address_taken(text, uuid);
DROP FUNCTION public.identity_enlist(uuid, text, text, uuid, timestamptz);
DROP TRIGGER identity_guard_person ON public.identity_person;
DROP FUNCTION public.identity_guard_person();
DROP POLICY own_people ON public.identity_recoverycode;
ALTER TABLE public.identity_recoverycode DISABLE ROW LEVEL SECURITY;
DROP POLICY own_people ON public.identity_secondfactor;
ALTER TABLE public.identity_secondfactor DISABLE ROW LEVEL SECURITY;
DROP POLICY own_people ON public.identity_person;
ALTER TABLE public.identity_person DISABLE ROW LEVEL SECURITY;
DROP POLICY own_body ON public.identity_assignment;
ALTER TABLE public.identity_assignment DISABLE ROW LEVEL SECURITY;
DROP FUNCTION public.identity_my_body();
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0001_initial")]
    operations = [migrations.RunSQL(sql=WALLS, reverse_sql=UNDO)]
