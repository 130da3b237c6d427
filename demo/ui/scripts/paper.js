// What the documents beside the page do: print, copy a link, show its QR code, and ask the questions of the quiz.
const onClick = (selector, act) => document.addEventListener("click", ({target}) => {
  const found = target.closest(selector);
  if (found) act(found);
});

onClick("[data-print]", () => print());

const linkOf = (button) => button.closest("li").querySelector("a");
onClick("[data-copy]", async (button) => {
  const field = document.createElement("textarea"); // navigator.clipboard is there over HTTPS alone
  field.value = linkOf(button).href;
  button.after(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  button.focus();
  button.textContent = button.closest("main").dataset.copied;
});
onClick("[data-qr]", (button) => {
  const {code, alt} = button.closest("main").dataset, row = button.closest("li"), {href} = linkOf(button);
  const isOpen = button.ariaExpanded === "true";
  button.ariaExpanded = String(!isOpen);
  if (isOpen) return row.querySelector("figure").remove();
  const shown = document.createElement("figure"), image = new Image(), caption = document.createElement("figcaption");
  image.alt = alt.replace("{address}", () => href);
  image.src = code + encodeURIComponent(href);
  caption.textContent = href;
  shown.append(image, caption);
  row.append(shown);
});
const warning = document.querySelector("[data-own-machine]");
if (warning) warning.hidden = !/^(localhost|127\.|\[::1\])/.test(location.hostname);

const score = document.querySelector(".score [role=status]");
const count = () => {
  const all = document.querySelectorAll(".question").length, answered = document.querySelectorAll(".question.answered").length;
  const {progress, score: sentence} = score.dataset, right = document.querySelectorAll(".question.answered.right").length;
  score.textContent = answered < all ? progress.replace("{answered}", answered) : sentence.replace("{right}", right);
  document.querySelector("[data-again]").hidden = answered < all;
};
onClick(".question button", (button) => {
  const question = button.closest(".question"), reason = question.querySelector("[role=status]");
  if (question.classList.contains("answered")) return;
  const kind = button.dataset.right === undefined ? "wrong" : "right";
  question.classList.add("answered", kind);
  button.setAttribute("aria-pressed", "true");
  for (const each of question.querySelectorAll("button")) {
    each.ariaDisabled = "true"; // a disabled one would lose the focus
    if (each !== button) each.tabIndex = -1;
  }
  reason.append(question.querySelector("template").content.cloneNode(true));
  reason.querySelector("strong").textContent = reason.dataset[kind];
  count();
});
onClick("[data-again]", () => { location.assign(location.pathname); });
if (score) count();
