// Moments in the reader's time zone; without this they are days of UTC.
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function tell(within) {
  for (const time of within.querySelectorAll("time[title]")) {
    time.textContent = clock.format(new Date(time.dateTime));
    time.removeAttribute("title");
  }
}

document.addEventListener("htmx:load", (event) => tell(event.detail.elt));
tell(document);

// What is shown once can be copied by a button, which only a script can do.
function offerCopies(within) {
  for (const button of within.querySelectorAll("[data-copies]")) {
    if (navigator.clipboard) button.hidden = false;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copies);
  field.select();
  await navigator.clipboard.writeText(field.value);
  button.textContent = button.dataset.done;
});
document.addEventListener("htmx:load", (event) => offerCopies(event.detail.elt));
offerCopies(document);

// Keys go through a choice one by one: the list is asked for when they rest or leave it, so that a name can be typed.
const REST = 1000; // milliseconds in which browsers take a letter for one more of the same name
let lastKey = -Infinity;
let chosen = null;
let rest;

function ask() {
  clearTimeout(rest);
  const choice = chosen;
  chosen = null;
  choice?.dispatchEvent(new Event("change", { bubbles: true }));
}

function askSoon() {
  clearTimeout(rest);
  rest = setTimeout(ask, REST);
}

document.addEventListener("change", (event) => {
  const byKeys = event.isTrusted && event.timeStamp - lastKey < REST;
  if (!byKeys || !event.target.matches(".filters select")) return;
  event.stopPropagation();
  chosen = event.target;
  askSoon();
}, true);
document.addEventListener("keydown", (event) => {
  lastKey = event.timeStamp;
  if (chosen) askSoon();
}, true);
document.addEventListener("focusout", (event) => {
  if (event.target === chosen) ask();
});
document.addEventListener("submit", () => {
  clearTimeout(rest);
  chosen = null;
}, true);
