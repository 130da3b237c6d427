// Has pictures made smaller before they are sent, refuses what is too large then, and takes a photograph that is pasted
// or dropped anywhere.
const BOX = "[id]:not([id=''])";
const PHOTOS = ["predict-photo", "inside-photo"];
const findPhoto = () => PHOTOS.map((id) => document.getElementById(id)).find((each) => each?.offsetParent);

// A photograph that is brought where none is shown opens the first tab, so that it is seen.
const showPhoto = () => {
  if (!findPhoto()) document.querySelector("[role=tab]")?.click();
  return findPhoto() ?? document.getElementById(PHOTOS[0]);
};

const findRefusal = (input, id, files) => {
  const isFree = input.multiple || id === "import-head"; // of many pictures the server leaves out those too large
  const kind = id === "archive" ? "archive" : isFree ? "request" : "picture";
  const large = files.find((file) => file.size > demo.maxBytes[kind]);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  if (!large && total <= demo.maxBytes.request) return null;
  const sentence = demo.words.tooLarge[large ? kind : "request"];
  return sentence.replace("{megabytes}", () => (large.size / 1e6).toFixed(1)).replace("{name}", () => large.name);
};

const refuse = (box, refusal) => {
  const line = document.createElement("p");
  line.className = "refusal status failed";
  line.setAttribute("role", "alert");
  line.textContent = refusal;
  box.after(line);
};

const give = (input, files) => {
  const given = new DataTransfer();
  for (const file of input.multiple ? files : files.slice(0, 1)) given.items.add(file);
  input.files = given.files;
  input.dispatchEvent(new Event("change", {bubbles: true}));
};

const isPicture = ({type, name}) => type.startsWith("image/") || /\.(jfif|jpe|mpo|avif|hei[cf]|tiff?)$/i.test(name);
// gradio takes for no picture what the system has no type for, such as IMG_0001.HEIC; the server looks at the bytes.
const asPicture = (file) => file.type.startsWith("image/") ? file : new File([file], file.name, {type: "image/jpeg"});
const findBring = () => document.querySelector("#bring input[type=file]");
const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

const PICTURES = ["class-pictures", "batch", "bring", ...PHOTOS];
const isHeavy = ({size}) => size > demo.limits.lightBytes;
const needsWork = (id, files) => id === "archive" || (PICTURES.includes(id) && files.some(isHeavy));

const ready = new WeakSet(); // inputs whose files need nothing more
const take = async (id, box, files) => {
  if (box.nextElementSibling?.matches(".refusal")) box.nextElementSibling.remove();
  if (files.length > demo.limits.pictures) return refuse(box, demo.words.tooMany);
  const stage = needsWork(id, files) ? demo.stage.begin(box) : null;
  let smaller = files;
  if (stage) {
    demo.stage.show(stage, "looking");
    const tell = ({stage: name, ...values}) => demo.stage.show(stage, name, values);
    smaller = await demo.shrink(files, id === "archive", tell, stage.signal);
    if (!smaller) return; // the visitor has stopped it
  }
  // gradio may have made it anew, or have taken it away, for another picture is shown now.
  const input = document.querySelector(`#${id} input[type=file]`) ?? (PHOTOS.includes(id) ? findBring() : null);
  if (!input) return stage && demo.stage.end(stage);
  const refusal = findRefusal(input, id, smaller);
  if (refusal) refuse(box, refusal);
  if (stage) demo.stage[refusal ? "end" : "send"](stage, smaller);
  if (refusal) return;
  ready.add(input);
  give(input, smaller);
};

addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches?.("input[type=file]") || ready.delete(input)) return;
  const own = input.closest(BOX), files = [...input.files], isForPictures = PICTURES.includes(own.id);
  event.stopImmediatePropagation();
  input.value = "";
  take(own.id, own.id === "bring" ? showPhoto() : own, isForPictures ? files.map(asPicture) : files);
}, true);

// On a phone the album opens. Safari makes JPEG of a HEIC where that is not among the kinds that are listed; Android
// would then hide it.
const ALBUM = navigator.vendor.startsWith("Apple") ? "image/jpeg,image/png,image/webp,image/gif" : "image/*";
const SUFFIXES = ",.heic,.heif,.avif,.jfif,.mpo,.tif,.tiff";
addEventListener("click", ({target}) => {
  if (!target.matches?.("input[type=file]") || !PICTURES.includes(target.closest(BOX)?.id)) return;
  if (matchMedia("(pointer: coarse)").matches) target.accept = ALBUM;
  else if (target.accept) target.accept = `image/*${SUFFIXES}`;
}, true);

addEventListener("dragover", (event) => {
  if (hasFiles(event)) event.preventDefault();
}, true);

// gradio takes what is dropped on an empty box alone; here a picture can be dropped on a picture.
addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault(); // a file that nobody takes would take the place of the page
  event.stopImmediatePropagation();
  event.target.dispatchEvent(new DragEvent("dragleave", {bubbles: true}));
  const files = [...event.dataTransfer.files];
  const input = event.target.closest?.(BOX)?.querySelector("input[type=file]");
  if (input) give(input, files);
  else if (files.some(isPicture)) give(findBring(), files.filter(isPicture));
}, true);

addEventListener("paste", (event) => {
  const pictures = [...(event.clipboardData?.files ?? [])].filter(isPicture);
  if (!pictures.length || event.target.closest?.("input, textarea, [contenteditable]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  give(findBring(), pictures);
}, true);

document.addEventListener("click", ({target}) => {
  if (target.closest?.("[data-bring]")) findBring()?.click();
});
