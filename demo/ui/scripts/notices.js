// Puts away a notice that was read.
document.addEventListener("click", (event) => {
  const notice = event.target.closest?.(".notice button")?.closest(".notice");
  if (notice) notice.hidden = true;
});
