// The forms of a mailbox: what a page without scripts asks the server for, done at once.
"use strict";

(function () {
  const ports = { tls: "993", starttls: "143", none: "143" };
  const form = document.querySelector("[data-account-form]");
  const file = document.querySelector("[data-limit]");

  // -- A file over the limit is refused before it is sent.

  if (file) {
    file.addEventListener("change", () => {
      const isTooLarge = file.files[0] && file.files[0].size > Number(file.dataset.limit);
      file.setCustomValidity(isTooLarge ? file.dataset.tooLarge : "");
      if (isTooLarge) file.reportValidity();
    });
  }

  if (!form) return;
  const { address, host, login, security, port, auth_type } = form.elements;

  // -- The login is filled in from the address once, while it is empty or still the same.

  if (address && login) {
    let before = address.value;
    address.addEventListener("input", () => {
      if (login.value === "" || login.value === before) login.value = address.value;
      before = address.value;
    });
  }

  // -- The port follows the security until somebody types another.

  if (security && port) {
    let usual = ports[security.value];
    if (port.value === "") port.value = usual;
    security.addEventListener("change", () => {
      if (port.value === "" || port.value === usual) port.value = ports[security.value];
      usual = ports[security.value];
    });
  }

  // -- What is known or was found: into an empty server by itself, else on demand.

  function fill(hint) {
    if (hint.dataset.login && [address.value, ""].includes(login.value)) login.value = hint.dataset.login;
    host.value = hint.dataset.host;
    security.value = hint.dataset.security;
    security.dispatchEvent(new Event("change"));
    port.value = hint.dataset.port;
    if (hint.dataset.auth) auth_type.value = hint.dataset.auth;
  }

  document.addEventListener("htmx:afterSwap", () => {
    const hint = document.querySelector("#provider [data-host]");
    if (hint && host.value === "") fill(hint);
  });

  // -- Skip folders: one more, one less.

  function number(list) {
    Array.from(list.children).forEach((item, at) => {
      item.querySelector("input").setAttribute("aria-label", `${list.dataset.label} ${at + 1}`);
      item.querySelector("button").value = `remove-${at}`;
    });
  }

  form.addEventListener("click", (event) => {
    const list = form.querySelector("[data-skip-list]");
    const button = event.target.closest("[data-add-folder], [data-remove-folder], [data-fill]");
    if (!button) return;
    if (button.hasAttribute("data-fill")) {
      event.preventDefault();
      fill(button.closest("[data-host]"));
      host.focus();
    } else if (button.hasAttribute("data-remove-folder")) {
      event.preventDefault();
      const item = button.closest("li");
      const next = item.nextElementSibling || item.previousElementSibling;
      item.remove();
      number(list);
      (next ? next.querySelector("button") : form.querySelector("[data-add-folder]")).focus();
    } else if (list.lastElementChild) {
      event.preventDefault();
      const item = list.lastElementChild.cloneNode(true);
      item.querySelector("input").value = "";
      item.querySelector("button").setAttribute("aria-label", button.dataset.remove);
      list.append(item);
      number(list);
      item.querySelector("input").focus();
    }
  });
})();
