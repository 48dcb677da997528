/* Progressive enhancement only: every page works without this file. */
(function () {
  "use strict";

  // Lists marked data-keys: j and k move, Enter opens, as in the mail programs people know.
  function rowsOf(list) { return Array.prototype.slice.call(list.querySelectorAll("tbody tr, li[data-row]")); }
  function move(list, step) {
    var rows = rowsOf(list);
    if (!rows.length) { return; }
    var at = rows.findIndex(function (row) { return row.hasAttribute("data-current"); });
    var next = Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + step));
    if (at >= 0) { rows[at].removeAttribute("data-current"); }
    rows[next].setAttribute("data-current", "");
    var link = rows[next].querySelector("a[href]");
    if (link) { link.focus(); } else { rows[next].scrollIntoView({ block: "nearest" }); }
  }
  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (/^(input|textarea|select)$/i.test(event.target.tagName) || event.target.isContentEditable) { return; }
    if (document.querySelector("dialog[open]")) { return; }
    var list = document.querySelector("[data-keys]");
    if (!list) { return; }
    if (event.key === "j") { move(list, 1); event.preventDefault(); }
    if (event.key === "k") { move(list, -1); event.preventDefault(); }
  });

  // The error summary takes the focus, also after htmx has put it there.
  function focusSummary(root) {
    var summary = root.querySelector("[data-error-summary]");
    if (summary) { summary.focus(); }
  }

  // A form with data-dirty warns before its entries are lost; sending it is no loss.
  var dirty = false;
  document.addEventListener("input", function (event) {
    if (event.target.closest("form[data-dirty]")) { dirty = true; }
  });
  document.addEventListener("submit", function (event) {
    dirty = false;
    // A second click must not send twice; the server asks again anyway.
    var form = event.target;
    if (form.hasAttribute("data-once")) {
      if (form.hasAttribute("data-sent")) { event.preventDefault(); return; }
      form.setAttribute("data-sent", "");
    }
  });
  window.addEventListener("beforeunload", function (event) {
    if (dirty) { event.preventDefault(); event.returnValue = ""; }
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { form.removeAttribute("data-sent"); });
  });

  // data-autosave="/path/": what is typed is sent there two seconds after the last key, as on "save".
  var timers = new WeakMap();
  document.addEventListener("input", function (event) {
    var form = event.target.closest("form[data-autosave]");
    if (!form) { return; }
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(function () {
      var body = new FormData(form);
      form.querySelectorAll("input[type=file]").forEach(function (input) { body.delete(input.name); });
      fetch(form.dataset.autosave, { method: "POST", body: body, headers: { "X-Autosave": "1" }, credentials: "same-origin" })
        .then(function (answer) {
          var note = form.querySelector("[data-autosave-note]");
          if (answer.ok) { dirty = false; }
          if (note) { note.hidden = !answer.ok; }
        }, function () { /* the page itself saves when it is sent */ });
    }, 2000));
  });

  // A link with data-dialog opens its confirmation page in a dialog; without this script it is simply followed.
  document.addEventListener("click", function (event) {
    var close = event.target.closest("dialog [data-dialog-close]");
    if (close) { close.closest("dialog").close(); event.preventDefault(); return; }
    var link = event.target.closest("a[data-dialog]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || typeof HTMLDialogElement === "undefined") { return; }
    event.preventDefault();
    fetch(link.href, { credentials: "same-origin" }).then(function (answer) {
      if (!answer.ok || answer.redirected) { throw new Error(String(answer.status)); }
      return answer.text();
    }).then(function (text) {
      var found = new DOMParser().parseFromString(text, "text/html").querySelector("[data-confirm-body]");
      if (!found) { throw new Error("no confirmation"); }
      var dialog = document.createElement("dialog");
      dialog.className = "vb-dialog";
      dialog.append(document.importNode(found, true));
      var heading = dialog.querySelector("h1");
      if (heading) { heading.id = "dialog-title"; dialog.setAttribute("aria-labelledby", "dialog-title"); }
      dialog.addEventListener("close", function () { dialog.remove(); link.focus(); });
      document.body.append(dialog);
      dialog.showModal();
    }).catch(function () { window.location.href = link.href; });
  });

  // "Undo" is offered for ten seconds; the server takes it as long as nobody has gone on from there.
  function expireUndo(root) {
    root.querySelectorAll("form[data-undo]").forEach(function (form) {
      setTimeout(function () {
        if (form.contains(document.activeElement)) {
          var main = document.getElementById("main");
          if (main) { main.focus(); }
        }
        form.remove();
      }, 10000);
    });
  }

  // data-preview="<id of a frame>": a list of documents shows the chosen one beside it (data-preview-src, else the link).
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-preview]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
    var frame = document.getElementById(link.dataset.preview);
    if (!frame || !frame.offsetParent) { return; }
    event.preventDefault();
    frame.src = link.dataset.previewSrc || link.href;
    frame.title = link.textContent.trim();
    document.querySelectorAll("a[data-preview][aria-current]").forEach(function (other) { other.removeAttribute("aria-current"); });
    link.setAttribute("aria-current", "true");
  });

  // Menus made of <details> close with Escape and with a click elsewhere.
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") { return; }
    document.querySelectorAll("details.vb-usermenu[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.vb-usermenu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) { menu.open = false; }
    });
  });

  function enhance(root) { focusSummary(root); expireUndo(root); }
  document.addEventListener("DOMContentLoaded", function () { enhance(document); });
  document.addEventListener("htmx:afterSwap", function (event) { enhance(event.target); });
})();
