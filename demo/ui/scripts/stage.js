// Says over a box what is done with the files that it was given, until the server has read them. Nothing moves.
const SAY_EVERY_MS = 1_500; // a screen reader reads each sentence
const WAIT_MS = 3_000; // gradio begins to send within it, or does not send at all
const READING_MS = 130_000;
const SENT = "--upload-progress-width"; // where gradio notes how much it has sent
const EMPTIED = ["archive", "class-pictures"]; // boxes in which nothing stays once the server has read it
const CHOICES = ["new-class", "add-class", "chosen-class", "rename-class", "remove-class", "make-faces"];
const stages = new Map(); // by box

const fill = (sentence, values) => {
  const text = typeof sentence === "string" ? sentence : values.count === 1 ? sentence.one : sentence.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
};
// Pictures go to the class that is chosen when they have been sent: until then it stays chosen.
const hold = (box, isHeld) => {
  if (box.id !== "class-pictures") return;
  for (const id of CHOICES) document.getElementById(id)?.toggleAttribute("inert", isHeld);
};

const build = (box) => {
  const cover = document.createElement("div"), line = document.createElement("p"), bar = document.createElement("progress");
  const button = Object.assign(document.createElement("button"), {type: "button", textContent: demo.words.stage.cancel});
  cover.className = "bringing";
  line.setAttribute("role", "status");
  bar.setAttribute("aria-hidden", "true"); // the line says it
  cover.append(line, bar, button);
  box.append(cover);
  return {box, cover, line, bar, button, said: 0, name: "", watch: null};
};

const begin = (box) => {
  stages.get(box)?.stop(); // the box is given others
  const stage = build(box), stopping = new AbortController();
  stage.signal = stopping.signal;
  stage.stop = () => {
    stopping.abort();
    end(stage);
  };
  stage.button.addEventListener("click", (event) => {
    event.stopPropagation(); // the box would ask for files
    stage.stop();
  });
  stages.set(box, stage);
  hold(box, true);
  return stage;
};
const isOn = (stage) => stages.get(stage.box) === stage;
const end = (stage) => {
  clearInterval(stage.watch);
  stage.cover.remove();
  if (!isOn(stage)) return;
  stages.delete(stage.box);
  hold(stage.box, false);
};

const show = (stage, name, values = {}) => {
  const {bar, line, button} = stage;
  if (stage.name !== name || Date.now() - stage.said > SAY_EVERY_MS) {
    Object.assign(stage, {said: Date.now(), name});
    // What is there from the first may go unread.
    requestAnimationFrame(() => { line.textContent = fill(demo.words.stage[name], values); });
  }
  if (values.count) Object.assign(bar, {max: values.count, value: values.done});
  else bar.removeAttribute("value");
  button.hidden = ["sending", "reading"].includes(name); // gradio has no way back from there
};

const send = (stage, files) => {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  show(stage, "sending", {megabytes: Math.max(0.1, bytes / 1e6).toFixed(1)});
  setTimeout(() => { if (!stage.watch) end(stage); }, WAIT_MS);
};
const waitForReading = (stage) => {
  const report = () => document.querySelector("#report .html-container")?.textContent, before = report();
  const hasFile = () => stage.box.querySelector(".file-preview") !== null;
  show(stage, "reading");
  return demo.until(() => !isOn(stage) || !hasFile() || report() !== before, READING_MS);
};
// Follows the request that sends the files of a box.
const follow = async (request) => {
  const stage = [...stages.values()].find(({name, watch}) => name === "sending" && !watch);
  if (!stage) return;
  const {style} = document.documentElement;
  style.setProperty(SENT, "0%");
  stage.watch = setInterval(() => {
    Object.assign(stage.bar, {max: 100, value: Number.parseFloat(style.getPropertyValue(SENT)) || 0});
  }, 250);
  await request.catch(() => null);
  await new Promise((resolve) => setTimeout(resolve, 200)); // gradio notes which class is chosen
  clearInterval(stage.watch);
  if (isOn(stage) && EMPTIED.includes(stage.box.id)) await waitForReading(stage);
  end(stage);
};
demo.stage = {begin, show, send, follow, end};
