// The class camera says that it records, and lets go of the device when it is left, after a minute, or when the pictures
// or the page change: gradio's own goes on out of sight, and keeps the device when it is stopped.
const LIMIT_S = 60, EVERY_MS = 250;
const ENDS = "#drop-pictures, #remove-class, #rename-class, #train, #forget, [id^=starter-]";
const NAME = "capture photo"; // which gradio.js says in the language of the page
const isButton = (each) => [NAME, demo.words.gradio[NAME]].includes(each.ariaLabel);
const findButton = () => [...document.querySelectorAll("#class-camera button")].find(isButton);
const find = () => document.querySelector("#class-camera video");
const tracks = (video) => video?.srcObject?.getTracks() ?? [];
const isLive = (video) => tracks(video).some((each) => each.readyState === "live");

let records = false, since = 0, watch = null;

const say = () => {
  const sign = document.getElementById("recording"), seconds = Math.floor((Date.now() - since) / 1000);
  const text = records ? demo.words.recording.replace("{seconds}", seconds) : "";
  if (sign && sign.textContent !== text) sign.textContent = text;
};
const letGo = () => {
  const video = find();
  if (records) findButton()?.click();
  tracks(video).forEach((each) => each.stop());
  records = false;
  say();
  clearInterval(watch);
};
const begin = () => {
  since = Date.now();
  clearInterval(watch);
  watch = setInterval(() => {
    const video = find(), isOver = Date.now() - since > 1000 * LIMIT_S;
    if (isOver || document.hidden || !video?.getClientRects().length || !isLive(video)) letGo();
    say();
  }, EVERY_MS);
};

document.addEventListener("playing", ({target}) => { if (target === find()) begin(); }, true);
document.addEventListener("visibilitychange", () => { if (document.hidden) letGo(); });
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("#class-camera button"), video = find();
  if (event.target.closest?.(ENDS)) letGo();
  if (!button || !isButton(button)) return;
  if (!records && !isLive(video)) {  // it has been let go of
    event.stopImmediatePropagation();
    video.srcObject = await navigator.mediaDevices.getUserMedia({video: tracks(video)[0]?.getConstraints() ?? true});
    await video.play();
    button.click();
    return;
  }
  records = !records;
  begin();
  say();
}, true);
