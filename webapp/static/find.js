// The key "/" leads to the field that finds everything, unless something is typed into.
addEventListener("keydown", (event) => {
  const field = document.getElementById("find");
  const isTyped = "input:not([type=checkbox], [type=radio]), textarea, select";
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!field || document.activeElement?.matches(isTyped)) return;
  event.preventDefault();
  field.focus();
  field.select();
});
