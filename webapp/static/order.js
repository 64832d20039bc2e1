// The sum of an order's lines while one types, a new line by Enter, and the customer's
// address without a page load. The server counts again: what cannot be read here without
// doubt is left to it.
"use strict";

(() => {
  const form = document.querySelector("form[data-digits]");
  if (!form) return;
  const digits = Number(form.dataset.digits);
  const { decimal, group } = form.dataset;
  const [last, others] = form.dataset.sizes.split(" ").map(Number);

  // The number that a text is, times ten to the power of places; null: it is not clear.
  const scaled = (text, places) => {
    const found = /^([0-9]+)(?:([.,\u066b])([0-9]*))?$/.exec(text.trim());
    if (!found) return null;
    const [, whole, sign = decimal, part = ""] = found;
    // Three digits behind a sign that is not the shop's may be a group.
    if (part.length > places || (part.length === 3 && sign !== decimal)) return null;
    return BigInt(whole + part.padEnd(places, "0"));
  };

  // An amount in minor units, as the server writes it.
  const written = (minor) => {
    const text = String(minor).padStart(digits + 1, "0");
    const groups = [];
    let whole = text.slice(0, text.length - digits);
    for (let size = last; whole.length > size; size = others) {
      groups.unshift(whole.slice(-size));
      whole = whole.slice(0, -size);
    }
    return [whole, ...groups].join(group) + (digits ? decimal + text.slice(-digits) : "");
  };

  const product = (text) => {
    const asked = text.trim().toLowerCase();
    const found = [...document.querySelectorAll("#products option")].filter(
      (option) => option.value.toLowerCase() === asked || option.dataset.id.toLowerCase() === asked,
    );
    return found.length === 1 ? found[0] : null;
  };

  const field = (line, name) => line.querySelector(`[name$=".${name}"]`);
  const valueOf = (line, name) => field(line, name)?.value ?? "";

  // A line's worth in minor units times ten thousand, for the discount; null: not clear.
  const worth = (line) => {
    const own = field(line, "own")?.checked;
    const known = own ? null : product(valueOf(line, "product"));
    const typed = valueOf(line, "unit_price");
    const price = typed ? scaled(typed, digits) : known && BigInt(known.dataset.price);
    const quantity = scaled(valueOf(line, "quantity"), 0);
    const off = scaled(valueOf(line, "discount") || "0", 2);
    if (price === null || quantity === null || off === null || off > 10000n) return null;
    return price * quantity * (10000n - off);
  };

  const half = (exact, unit) => (exact + unit / 2n) / unit;
  const isEmpty = (line) =>
    !["product", "quantity", "unit_price"].some((name) => valueOf(line, name));

  const count = () => {
    let exact = 0n;
    let isClear = true;
    for (const line of form.querySelectorAll("fieldset.line")) {
      const amount = isEmpty(line) ? 0n : worth(line);
      const place = line.querySelector("[data-amount]");
      place.textContent = amount === null || isEmpty(line) ? "" : written(half(amount, 10000n));
      if (amount === null) isClear = false;
      else exact += amount;
      const known = product(valueOf(line, "product"));
      const price = field(line, "unit_price");
      if (price) price.placeholder = known ? written(BigInt(known.dataset.price)) : "";
    }
    const off = scaled(form.elements.discount?.value || "0", 2);
    const freight = scaled(form.elements.freight?.value || "0", digits);
    const sum = form.querySelector("[data-sum]");
    if (!isClear || off === null || freight === null || exact === 0n) {
      sum.textContent = "";
      return;
    }
    const total = half(exact * (10000n - off), 100000000n) + freight;
    sum.textContent = `Total, freight included: ${written(total)} ${form.dataset.currency}`;
  };

  const addLine = () => {
    const lines = [...form.querySelectorAll("fieldset.line")];
    const last = lines.at(-1);
    const line = last.cloneNode(true);
    const number = lines.length;
    for (const input of line.querySelectorAll("[name]")) {
      input.name = input.name.replace(/^items\.[0-9]+/, `items.${number}`);
      if (input.id) input.id = input.name;
      if (input.type === "checkbox") input.checked = false;
      else if (input.name === "remove_line") input.value = number;
      else input.value = "";
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    }
    for (const label of line.querySelectorAll("label[for]")) {
      label.htmlFor = label.htmlFor.replace(/^(.*)items\.[0-9]+/, `items.${number}`);
    }
    line.querySelectorAll("small.problem").forEach((told) => told.remove());
    line.querySelector("legend").textContent = `Line ${number + 1}`;
    line.querySelector("[data-amount]").textContent = "";
    last.after(line);
    field(line, "product").focus();
  };

  // The server finds the address; what it cannot fill in, it says on a page of its own.
  const fillAddress = async (button) => {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
    const text = answer?.ok ? await answer.text() : "";
    const found = new DOMParser().parseFromString(text, "text/html");
    if (!found.querySelector('[name="address.street"]')?.value) return form.requestSubmit(button);
    for (const input of found.querySelectorAll('[name^="address."]')) {
      form.elements[input.name].value = input.value;
    }
    form.elements["address.street"].focus();
  };

  form.addEventListener("click", (event) => {
    if (event.target.id !== "fill_address") return;
    event.preventDefault();
    fillAddress(event.target);
  });
  form.addEventListener("input", count);
  form.addEventListener("keydown", (event) => {
    const line = event.target.closest?.("fieldset.line");
    if (event.key !== "Enter" || !line || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    const next = line.nextElementSibling;
    if (next?.matches("fieldset.line") && field(next, "product")) field(next, "product").focus();
    else if (!line.querySelector('[name$=".line"]')) addLine();
  });
  count();
})();
