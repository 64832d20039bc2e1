// On the page of a form that was refused: once it is sent again, going back to it would
// end at "confirm form resubmission", since no browser keeps such an answer. Its address
// takes its place in the history then, or the one that shows the form anew. Until that a
// reload keeps what was typed.
addEventListener("submit", ({ target }) => {
  history.replaceState(null, "", target.dataset.back ?? location.href);
});
