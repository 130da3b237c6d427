// Fetches what the panel of the API says when it is unfolded, puts the page's own address into it, and copies examples.
document.addEventListener("toggle", async ({target}) => {
  if (!target.closest("#api")) return;
  const {more} = target.dataset;
  if (more) {
    delete target.dataset.more;
    const answer = await fetch(more);
    target.insertAdjacentHTML("beforeend", await answer.text());
  }
  for (const each of target.querySelectorAll("[data-address]")) each.textContent = window.gradio_config.root;
}, true);

document.addEventListener("click", ({target}) => {
  const button = target.closest?.("#api button");
  if (!button) return;
  getSelection().selectAllChildren(button.closest("div").querySelector("code"));
  document.execCommand("copy"); // navigator.clipboard is there over HTTPS alone
  button.textContent = demo.words.copied;
});
