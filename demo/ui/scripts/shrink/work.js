// Makes what a visitor brings ready to be sent: in a worker, or in the page where a browser has no canvas for a worker.
const VIDEO_HEAD_BYTES = 64_000; // tells the server what it is
const FULL = 0.95; // the part of a limit that is used

// Lets the page answer between two pictures, where it is the page that does the work.
const BUSY_MS = 40;
let rested = performance.now();
const rest = async () => {
  if (typeof document === "undefined" || performance.now() - rested < BUSY_MS) return;
  await new Promise((resolve) => setTimeout(resolve, BUSY_MS / 2));
  rested = performance.now();
};

const readyPictures = async ({files, limits}, tell) => {
  const ready = [], most = (FULL * limits.requestBytes) / files.length;
  for (const file of files) {
    tell({stage: "shrinking", done: ready.length, count: files.length});
    ready.push(await shrinkPicture(file, most, limits));
    await rest();
  }
  return ready;
};

const store = async (entry, content) => Object.assign(entry, {
  content, method: STORED, size: content.size, packedSize: content.size, crc: sum(await bytesOf(content)),
});

// Returns whether the entry is another now; it has its `content` in any case.
const readyEntry = async (blob, entry, {most, limits, tell, depth}) => {
  entry.content = packedBytes(blob, entry);
  if (entry.packedSize <= Math.min(most, limits.lightBytes)) return false;
  const content = await inflate(blob, entry, limits.inflatedBytes);
  if (!content) return false;
  const head = new Uint8Array(await content.slice(0, 16).arrayBuffer());
  let smaller = content;
  if (isVideo(head)) smaller = content.slice(0, VIDEO_HEAD_BYTES);
  else if (depth === 0 && letters(head, 0, 4) === "PK\x03\x04") smaller = await readyZip(content, {most, limits, tell, depth: 1});
  else smaller = await shrinkPicture(content, most, limits);
  if (smaller.size >= entry.packedSize) return false;
  await store(entry, smaller);
  return true;
};

const readyZip = async (blob, {most, limits, tell, depth, chosen, entries}) => {
  entries ??= await readZip(blob);
  if (!entries) return blob;
  const pictures = entries.filter(isPicture), isPart = chosen && pictures.some((each) => !chosen.has(each));
  const kept = isPart ? pictures.filter((each) => chosen.has(each)) : pictures, set = new Set(pictures);
  const beside = entries.filter((each) => !set.has(each));
  const others = new Set(isPart ? nearest(beside, limits.entries - kept.length) : beside);
  const keptSet = new Set(kept), sent = entries.filter((each) => keptSet.has(each) || others.has(each));
  let left = most, isOther = isPart, done = 0;
  const fits = !isPart && blob.size <= most;
  sent.sort((one, other) => keptSet.has(one) - keptSet.has(other)); // what is beside the pictures is known first
  for (const entry of sent) {
    const isOne = keptSet.has(entry);
    if (depth === 0 && isOne) tell({stage: "shrinking", done, count: kept.length});
    const share = isOne && !fits ? left / (kept.length - done) : most;
    if (await readyEntry(blob, entry, {most: share, limits, tell, depth})) isOther = true;
    left -= entry.packedSize + 2 * entry.name.length + 120;
    done += isOne;
    await rest();
  }
  if (!isOther) return blob;
  const order = new Map(entries.map((each, number) => [each, number]));
  sent.sort((one, other) => order.get(one) - order.get(other));
  const zip = writeZip(sent, isPart ? `drawn ${kept.length} of ${pictures.length}` : "");
  return isPart || zip.size < blob.size ? zip : blob;
};

// Several zips are one set: the pictures are chosen among all of them.
const readyZips = async ({files, limits}, tell) => {
  tell({stage: "looking"});
  const directories = [];
  for (const file of files) directories.push(await readZip(file).catch(() => null));
  const chosen = choose(directories.flatMap((each) => (each ?? []).filter(isPicture)), limits.pictures);
  const most = FULL * Math.min(limits.archiveBytes, limits.requestBytes / files.length), ready = [];
  for (const [number, file] of files.entries()) {
    const entries = directories[number];
    ready.push(entries ? await readyZip(file, {most, limits, tell, depth: 0, chosen, entries}) : file);
  }
  return ready;
};

const makeReady = (task, tell) => (task.isArchive ? readyZips : readyPictures)(task, tell);
if (typeof document === "undefined") {
  // What has stayed as it is need not travel back.
  onmessage = async ({data}) => {
    const ready = await makeReady(data, postMessage).catch(() => data.files);
    postMessage({ready: ready.map((each, number) => (each === data.files[number] ? null : each))});
  };
} else demo.makeReady = makeReady;
