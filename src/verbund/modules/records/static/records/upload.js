/* Progress of an upload. Without this file the form is simply sent. */
(function () {
  "use strict";
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.hasAttribute("data-upload") || event.defaultPrevented || typeof FormData === "undefined") { return; }
    var box = form.querySelector("[data-upload-progress]");
    var errors = form.querySelector("[data-upload-errors]");
    var file = form.querySelector("input[type=file]");
    if (!box || !errors || !file || !file.files.length) { return; }
    event.preventDefault();
    var bar = box.querySelector("progress");
    var text = box.querySelector("[data-upload-text]");
    function refuse(lines) {
      box.hidden = true;
      form.removeAttribute("data-sent");
      errors.textContent = "";
      lines.forEach(function (line) {
        var p = document.createElement("p");
        p.className = "rec-refusal";
        p.textContent = line;
        errors.append(p);
      });
      errors.hidden = false;
    }
    var request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", function (step) {
      if (!step.lengthComputable) { return; }
      bar.value = Math.round(100 * step.loaded / step.total);
      text.textContent = step.loaded < step.total ? text.dataset.sending + " " + bar.value + " %" : text.dataset.checking;
    });
    request.addEventListener("load", function () {
      var answer = null;
      try { answer = JSON.parse(request.responseText); } catch (error) { answer = null; }
      if (answer && answer.url) { window.location.assign(answer.url); return; }
      if (answer && answer.errors) { refuse(answer.errors); return; }
      form.removeAttribute("data-upload");
      form.removeAttribute("data-sent");
      form.submit();
    });
    request.addEventListener("error", function () { refuse([text.dataset.broken]); });
    errors.hidden = true;
    box.hidden = false;
    text.textContent = text.dataset.sending;
    request.send(new FormData(form));
  });
})();
