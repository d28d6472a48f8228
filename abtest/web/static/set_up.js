// Text that was typed and not sent: kept in this browser and offered again. Also keeps
// the names of steps in the two lists below them, and leads to the first problem.

const form = document.getElementById("form");
const name = `abtest-set-up:${form.dataset.autosave}`;
const offer = document.getElementById("restore");
const WEEK = 7 * 24 * 3600 * 1000;

// Rows repeat names: what belongs to what is told by the place in the form.
const snapshot = () =>
  [...form.elements]
    .filter((one) => one.name && !one.disabled && one.type !== "hidden" && one.type !== "submit")
    .map((one) => [one.name, one.type === "radio" ? one.value : "", one.type === "radio" ? one.checked : one.value]);

const stored = () => {
  try {
    const kept = JSON.parse(localStorage.getItem(name));
    return kept && Date.now() - kept.at < WEEK ? kept : null;
  } catch {
    return null;
  }
};

const keep = (value) => {
  try {
    if (value) localStorage.setItem(name, JSON.stringify(value));
    else localStorage.removeItem(name);
  } catch {
    // A browser that stores nothing: the form works all the same.
  }
};

const version = form.elements.version.value;
// A page that answers a button holds what was typed, and nothing of it is stored yet.
const isTyped = form.hasAttribute("data-typed");
const served = isTyped ? "" : JSON.stringify(snapshot());
let timer = 0;

const remember = () => {
  const fields = snapshot();
  keep(JSON.stringify(fields) === served ? null : { at: Date.now(), version, fields });
};

const restore = (fields) => {
  const left = [...form.elements].filter((one) => one.name && !one.disabled);
  for (const [fieldName, value, content] of fields) {
    const place = left.findIndex(
      (one) => one.name === fieldName && (one.type !== "radio" || one.value === value) && one.type !== "hidden" && one.type !== "submit",
    );
    if (place < 0) continue;
    const [one] = left.splice(place, 1);
    if (one.type === "radio") one.checked = content;
    else one.value = content;
  }
  nameSteps();
};

const nameSteps = () => {
  document.querySelectorAll("[data-step] [name=step_name]").forEach((step, i) => {
    for (const list of [form.elements.first, form.elements.second]) {
      const option = [...list.options].find((one) => one.value === String(i));
      if (option && step.value.trim()) option.textContent = step.value.trim();
    }
  });
};

const kept = stored();
if (isTyped) {
  remember();
} else if (kept && kept.version === version
    && JSON.stringify(kept.fields) !== served) {
  offer.hidden = false;
  document.getElementById("restore-yes").addEventListener("click", () => {
    restore(kept.fields);
    offer.hidden = true;
    form.elements.name.focus();
  });
  document.getElementById("restore-no").addEventListener("click", () => {
    keep(null);
    offer.hidden = true;
  });
}

form.addEventListener("input", (event) => {
  if (event.target.name === "step_name") nameSteps();
  clearTimeout(timer);
  timer = setTimeout(remember, 400);
});
form.addEventListener("submit", (event) => {
  clearTimeout(timer);
  if (!event.submitter || event.submitter.value === "save") keep(null);
});
document.getElementById("problems")?.focus();
