"""What one body keeps about sign-in in its own schema: units, absences, citizens' accounts, sessions, counters."""
