// The slider: asks the server for the page at another worth and swaps the parts that
// change. Without this script the number field and the button do the same.

const form = document.getElementById("worth-form");

if (form) {
  const field = form.querySelector("input[type=number]");
  const slider = form.querySelector("input[type=range]");
  const button = form.querySelector("button");
  let timer = 0;
  let asked = 0;

  const show = async () => {
    const number = ++asked;
    const query = new URLSearchParams(new FormData(form)).toString();
    const address = `${location.pathname}?${query}`;
    const answer = await fetch(address).catch(() => null);
    if (number !== asked) return;
    if (!answer || !answer.ok || answer.redirected) {
      form.submit();
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-refresh][id]")) {
      const fresh = page.getElementById(part.id);
      if (fresh) part.replaceWith(fresh);
    }
    history.replaceState(null, "", `${address}#worth`);
  };

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(show, 300);
  };

  slider.hidden = false;
  button.hidden = true;
  slider.addEventListener("input", () => {
    field.value = Number(slider.value).toFixed(2).replace(/\.?0+$/, "");
    later();
  });
  field.addEventListener("input", () => {
    if (field.value === "" || !field.checkValidity()) return;
    slider.value = field.value;
    later();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
}
