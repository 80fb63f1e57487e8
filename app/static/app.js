// Letterbook's few helpers: every page works without them.
"use strict";

(function () {
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const one = (selector, within) => (within || document).querySelector(selector);
  const isWide = () => window.matchMedia("(min-width: 1100px)").matches;
  const isShown = (element) => element.getClientRects().length > 0;

  document.documentElement.classList.add("scripted");

  // -- Polling rests while nobody looks, and rows open in a pane only where there is room for one.

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.hasAttribute("data-poll")) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-pane]");
    const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (link && !(isWide() && isPlain)) event.stopPropagation(); // the browser follows the link
    for (const menu of all("header details[open]")) if (!menu.contains(event.target)) menu.open = false;
    const close = event.target.closest("[data-close]");
    if (close && one("[data-pane][aria-current]")) {
      event.preventDefault();
      window.history.back();
    }
  }, true);

  for (const button of all("[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.textContent = button.dataset.done;
    });
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "pane") markOpenRow();
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const next = event.detail.target.id === "attach" && one("#attach [data-autofocus]");
    const isFree = document.activeElement === document.body || document.activeElement.id === "like";
    if (next && isFree) enter(next);
  });

  function enter(field) {
    field.focus({ preventScroll: true });
    if (field.select) field.select();
  }

  // -- Select Record: a combobox over what the server finds (ARIA practice, list autocomplete).

  const combo = () => one("#like[role=combobox]");
  const isOpen = () => combo() && combo().getAttribute("aria-expanded") === "true";
  const options = () => all("#options [role=option]");

  function showOptions(isShown) {
    const list = one("#options");
    list.hidden = !isShown;
    combo().setAttribute("aria-expanded", String(isShown));
    if (!isShown) activate(null);
  }

  function activate(option) {
    for (const each of options()) each.setAttribute("aria-selected", String(each === option));
    if (!option) return combo().removeAttribute("aria-activedescendant");
    combo().setAttribute("aria-activedescendant", option.id);
    return option.scrollIntoView({ block: "nearest" });
  }

  const active = () => options().find((each) => each.getAttribute("aria-selected") === "true");

  function walk(by) {
    if (!isOpen()) return window.htmx.trigger(combo(), "open");
    const at = options().indexOf(active());
    const next = at < 0 && by < 0 ? options().length - 1 : at + by;
    return activate(options()[(next + options().length) % options().length]);
  }

  function choose(option) {
    const record = one("#record");
    one("#type").value = option.dataset.type;
    combo().value = option.dataset.name;
    record.value = option.dataset.record;
    showOptions(false);
    record.dispatchEvent(new Event("change"));
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "options") showOptions(document.activeElement === combo());
  });
  document.addEventListener("input", (event) => {
    if (event.target === combo() && one("#record").value !== "new") one("#record").value = "";
  });
  document.addEventListener("focusout", (event) => { if (event.target === combo()) showOptions(false); });
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest("#options [role=option]");
    if (!option) return;
    event.preventDefault(); // the text field keeps the focus
    choose(option);
  });

  function keyInCombo(event) {
    const isWalk = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (isWalk) walk(isWalk);
    else if (event.key === "Escape" && isOpen()) showOptions(false);
    else if (event.key === "Enter" && active()) choose(active());
    else if (event.key === "Enter" && one("#record").value) one("[data-confirm]").click();
    else if (event.key === "Enter") window.htmx.trigger(combo(), "open");
    else return;
    event.preventDefault();
  }

  // -- New rows come by themselves only to a list that nobody touches or has scrolled.

  document.addEventListener("htmx:afterSettle", () => {
    const fresh = one("[data-fresh]");
    if (!fresh || window.scrollY > 0 || fresh.classList.contains("htmx-request")) return;
    if (one("#rows :checked") || one("#rows [aria-current]") || one("#rows:focus-within")) return;
    if (one("#pane > *")) return;
    window.htmx.trigger(fresh, "fresh");
  });

  function markOpenRow() {
    const article = one("#pane [data-open]");
    const row = article && rowOf(article.dataset.open);
    for (const link of all("[data-pane][aria-current]")) link.removeAttribute("aria-current");
    if (!row) return;
    one(".row-link", row).setAttribute("aria-current", "true");
    setCurrent(row);
  }

  // -- Focus: after an archiving on the next open row, after a refused form on what is wrong.

  function placeFocus() {
    const wrong = one("[data-focus]");
    if (wrong) return wrong.focus();
    const first = one("[data-autofocus]");
    if (first) return enter(first);
    const done = one(".flash[data-message]");
    const below = one("[data-next]");
    if (below) return focusRow(rowOf(below.dataset.next));
    if (!one(".flash")) return setCurrent(one(".rows tr:has([aria-current])"));
    const own = done && rowOf(done.dataset.message);
    const after = rows().slice(rows().indexOf(own) + 1);
    const isOpen = (row) => row && !row.classList.contains("archived");
    const next = [own, ...after, ...rows()].find(isOpen) || own || rows()[0];
    return next ? focusRow(next) : one("#main").focus({ preventScroll: true });
  }

  // -- Rows: the current one, where the focus is or was last, and those that are selected.

  const rows = () => all(".rows tr[id^=row-]"); // not the headings between them
  const rowOf = (id) => document.getElementById("row-" + id);
  const pickOf = (row) => one(".c-pick input", row);
  const current = () => one(".rows tr.current");

  function setCurrent(row) {
    if (!row || row === current()) return;
    if (current()) current().classList.remove("current");
    row.classList.add("current");
    const name = one("#current");
    if (name) name.value = row.id.slice(4);
  }

  function focusRow(row) {
    if (!row) return;
    one(".row-link", row).focus();
    setCurrent(row);
    row.scrollIntoView({ block: "nearest" });
  }

  function step(by, isExtending) {
    const at = rows().indexOf(current());
    const next = rows()[Math.min(rows().length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (isExtending && current()) pick(current(), true);
    if (isExtending && next) pick(next, true);
    focusRow(next);
  }

  function pick(row, isPicked) {
    if (pickOf(row)) pickOf(row).checked = isPicked;
    countPicked();
  }

  function pickAll(isPicked) {
    for (const row of rows()) pick(row, isPicked);
  }

  function countPicked() {
    const said = one("#picked");
    const count = all(".rows tbody .c-pick :checked").length;
    if (said) said.textContent = count ? said.dataset.said.replace("#", count) : "";
    const whole = one("[data-all]");
    if (whole) whole.checked = count > 0 && count === rows().length;
  }

  document.addEventListener("focusin", (event) => setCurrent(event.target.closest(".rows tr[id^=row-]")));
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) pickAll(event.target.checked);
    else if (event.target.matches(".c-pick input")) countPicked();
  });

  // -- Keys press the visible control that carries them (data-hotkey), or move between rows.

  function isOff() {
    try { return window.localStorage.getItem("letterbook.keys") === "off"; } catch { return false; }
  }

  const moves = {
    j: () => step(1),
    k: () => step(-1),
    J: () => step(1, true),
    K: () => step(-1, true),
    x: () => { if (current()) pick(current(), !pickOf(current()).checked); },
    "* a": () => pickAll(true),
    "* n": () => pickAll(false),
    o: () => { if (current()) one(".row-link", current()).click(); },
    l: () => { const chip = current() && one("a.chip", current()); if (chip) chip.click(); },
    u: () => { const back = one("[data-close]") || (one("main > .message") && one(".sub-nav [aria-current]")); if (back) back.click(); },
    "/": () => { const box = all("[data-search]").find(isShown) || one("main input[type=search]"); if (box) { box.focus(); box.select(); } },
  };
  moves.Escape = moves.u;
  const places = { q: "/email/queue", a: "/email/archives", c: "/email/accounts", r: "/records/companies" };
  for (const key of Object.keys(places)) moves["g " + key] = () => window.location.assign(places[key]);
  let begun = ""; // the first key of two: "* a", "g q"

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input:not([type=radio]):not([type=checkbox]), select, textarea, [contenteditable]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const confirm = one("[data-confirm]");
      if (isOpen() && active()) choose(active());
      if (confirm) confirm.click();
      return;
    }
    if (event.target === combo() && !event.isComposing) return keyInCombo(event);
    if (event.key === "Escape" && event.target.matches("[data-search]")) return event.target.blur();
    if (one("#sheet[open]") || field || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isOff()) return;
    if (event.key === "Shift") return;
    const key = begun + event.key;
    begun = "";
    const control = all('[data-hotkey="' + CSS.escape(key) + '"]').find(isShown);
    if (control || moves[key]) event.preventDefault();
    if (control) control.click();
    else if (moves[key]) moves[key]();
    else if (event.key === "*" || event.key === "g") begun = event.key + " ";
  });

  // -- The help sheet is the page of keys, shown above the page one is on.

  moves["?"] = async () => {
    if (one("main #keys")) return;
    await window.htmx.ajax("GET", "/profile/keys", { target: "#sheet", select: "#keys", swap: "innerHTML" });
    tickKeys();
    one("#sheet").showModal();
  };

  function tickKeys() {
    for (const box of all("[data-keys]")) box.checked = !isOff();
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-keys]")) window.localStorage.setItem("letterbook.keys", event.target.checked ? "on" : "off");
  });

  // -- Undo is offered for ten seconds; a reload says nothing twice.

  function passFlash() {
    const undo = one(".flash [data-undo]");
    if (undo) window.setTimeout(() => { if (!undo.matches(":hover, :focus-within")) undo.remove(); }, 10000);
    if (!one(".flash")) return;
    const here = new URL(window.location.href);
    for (const name of ["done", "message", "record", "at", "n"]) here.searchParams.delete(name);
    window.history.replaceState(window.history.state, "", here);
  }

  placeFocus();
  countPicked();
  tickKeys();
  passFlash();
})();
