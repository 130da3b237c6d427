// Has files made ready by a worker, which is fetched when it is first needed. Where nothing works they stay as they are.
const PATIENCE_MS = 60_000; // without a word of the worker
const hasWorker = () => typeof Worker === "function" && typeof OffscreenCanvas === "function";

const askWorker = (task, tell, signal) => new Promise((resolve) => {
  const worker = new Worker(demo.shrinker);
  let watch = null;
  const end = (ready) => {
    clearTimeout(watch);
    worker.terminate();
    resolve(ready);
  };
  const wait = () => {
    clearTimeout(watch);
    watch = setTimeout(() => end(task.files), PATIENCE_MS);
  };
  signal.addEventListener("abort", () => end(null));
  worker.onerror = () => end(task.files);
  worker.onmessage = ({data}) => {
    wait();
    if (data.ready) end(data.ready.map((each, number) => each ?? task.files[number]));
    else tell(data);
  };
  wait();
  worker.postMessage(task);
});

const fetchWork = () => new Promise((resolve) => {
  const script = Object.assign(document.createElement("script"), {src: demo.shrinker});
  script.onload = script.onerror = resolve;
  document.head.append(script);
});
const workHere = async (task, tell, signal) => {
  if (!demo.makeReady) await fetchWork();
  return demo.makeReady(task, (told) => {
    signal.throwIfAborted();
    tell(told);
  });
};

// Returns the files as they are to be sent, under their own names; null if the visitor has stopped it.
demo.shrink = async (files, isArchive, tell, signal) => {
  const {archive: archiveBytes, request: requestBytes} = demo.maxBytes;
  const task = {files, isArchive, limits: {archiveBytes, requestBytes, ...demo.limits}};
  const ready = await (hasWorker() ? askWorker : workHere)(task, tell, signal).catch(() => files);
  if (signal.aborted) return null;
  return ready.map((each, number) => {
    const {name, lastModified} = files[number];
    return each === files[number] ? each : new File([each], name, {type: each.type, lastModified});
  });
};
