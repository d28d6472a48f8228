// The first visitor: asks every few seconds whether somebody came, for ten minutes.
// Without this script the link below does the same once.

const PAUSE = 5000;
const PATIENCE = 10 * 60 * 1000;

const live = document.getElementById("live");
const begun = Date.now();

const ask = async () => {
  if (Date.now() - begun > PATIENCE) {
    document.getElementById("gave-up").hidden = false;
    return;
  }
  const answer = await fetch(live.dataset.status).catch(() => null);
  if (answer && answer.ok && !answer.redirected) {
    const { arrived, words } = await answer.json();
    if (live.textContent !== words) live.textContent = words;
    if (arrived) {
      await showFindings();
      return;
    }
  }
  setTimeout(ask, PAUSE);
};

// The lines below are those of the page as it is now; keys typed elsewhere stay.
const showFindings = async () => {
  const answer = await fetch(location.pathname).catch(() => null);
  if (!answer || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of [".findings", ".arrived .icon"]) {
    const fresh = page.querySelector(part);
    if (fresh) document.querySelector(part).replaceWith(fresh);
  }
  document.querySelector(".arrived").className = page.querySelector(".arrived").className;
};

if (live && live.dataset.status) setTimeout(ask, PAUSE);
