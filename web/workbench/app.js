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
