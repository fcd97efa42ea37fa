// Who has signed in, on pages that are the same for everybody.
const place = document.querySelector(".top .who[data-from]");

fetch(place.dataset.from).then(async (answer) => {
  if (answer.status !== 200) return; // nobody has: the link to sign in stays
  const sent = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceWith(sent.querySelector(".who"));
}, () => {});
