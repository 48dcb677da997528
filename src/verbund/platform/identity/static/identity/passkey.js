// Passkeys: hands the options of the page to the browser and its answer to the form.
"use strict";
(() => {
  const options = document.getElementById("passkey-options");
  const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (entries) => (entries || []).map((entry) => ({ ...entry, id: toBytes(entry.id) }));

  async function create(publicKey) {
    const made = await navigator.credentials.create({
      publicKey: {
        ...publicKey,
        challenge: toBytes(publicKey.challenge),
        user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
        excludeCredentials: listed(publicKey.excludeCredentials),
      },
    });
    return {
      id: made.id,
      rawId: toText(made.rawId),
      type: made.type,
      response: {
        clientDataJSON: toText(made.response.clientDataJSON),
        attestationObject: toText(made.response.attestationObject),
      },
      clientExtensionResults: {},
    };
  }

  async function get(publicKey) {
    const proof = await navigator.credentials.get({
      publicKey: {
        ...publicKey,
        challenge: toBytes(publicKey.challenge),
        allowCredentials: listed(publicKey.allowCredentials),
      },
    });
    return {
      id: proof.id,
      rawId: toText(proof.rawId),
      type: proof.type,
      response: {
        clientDataJSON: toText(proof.response.clientDataJSON),
        authenticatorData: toText(proof.response.authenticatorData),
        signature: toText(proof.response.signature),
        userHandle: proof.response.userHandle ? toText(proof.response.userHandle) : null,
      },
      clientExtensionResults: {},
    };
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!options || !window.PublicKeyCredential || !navigator.credentials) continue;
    const failed = form.querySelector("[data-passkey-failed]");
    form.querySelector("[data-passkey-missing]").hidden = true;
    form.querySelector("[data-passkey-button]").hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      failed.hidden = true;
      try {
        const publicKey = JSON.parse(options.textContent);
        const answer = form.dataset.passkey === "create" ? await create(publicKey) : await get(publicKey);
        form.elements.answer.value = JSON.stringify(answer);
        form.submit();
      } catch {
        failed.hidden = false;
      }
    });
  }
})();
