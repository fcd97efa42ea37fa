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
