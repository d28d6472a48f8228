// Verdicts that are being computed: asks for the page again and puts in what is known
// by then. Without this script the link beside the notice does the same.

const PAUSE = 1500;

const again = async () => {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer || !answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-pending]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh) {
      part.remove();
      continue;
    }
    const hadFocus = part.contains(document.activeElement);
    part.replaceWith(fresh);
    if (hadFocus) fresh.querySelector("a")?.focus();
  }
  later();
};

const later = () => {
  if (document.querySelector("[data-pending]")) setTimeout(again, PAUSE);
};

later();
