// A link with an empty download saves the picture of its figure: so no picture is sent twice, once to see, once to save.
document.addEventListener("click", ({target}) => {
  const link = target.closest('a[download][href="#"]');
  if (!link) return;
  link.href = link.closest("figure").querySelector("img").src;
  setTimeout(() => { link.href = "#"; });
}, true);
