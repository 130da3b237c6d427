// Reads the directory of a zip, and writes a zip. Names stay the bytes that they are: the server decides what they say.
// Every browser that has a canvas for a worker inflates by itself, so that no library is needed.
const MOST_ENTRIES = 20_000, MOST_DIRECTORY_BYTES = 32_000_000, NO_SIZE = 0xffff_ffff;
const [LOCAL, CENTRAL, END, END_64, LOCATOR_64] = [0x04034b50, 0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50];
const [STORED, DEFLATED, WINZIP_AES] = [0, 8, 99];
const [LOCKED_FLAGS, FLAGS_KEPT, ZIP_64, LATIN] = [0x2041, 0x0806, 0x0001, new TextDecoder("latin1")];

const viewOf = async (blob, at, length) => new DataView(await blob.slice(at, at + length).arrayBuffer());
const long = (view, at) => Number(view.getBigUint64(at, true));

const findEnd = async (blob) => {
  const from = Math.max(0, blob.size - 65_557), view = await viewOf(blob, from, 65_557);
  for (let at = view.byteLength - 22; at >= 0; at -= 1) {
    if (view.getUint32(at, true) === END) {
      const end = {at: from + at, directoryEnd: from + at, count: view.getUint16(at + 10, true),
        size: view.getUint32(at + 12, true), place: view.getUint32(at + 16, true)};
      return at >= 20 && view.getUint32(at - 20, true) === LOCATOR_64 ? find64(blob, end, long(view, at - 12)) : end;
    }
  }
  return null;
};
const find64 = async (blob, end, told) => {
  for (const at of [end.at - 76, told]) { // where it lies, and where it is said to lie
    const view = await viewOf(blob, Math.max(0, at), 56);
    if (view.byteLength === 56 && view.getUint32(0, true) === END_64) {
      return {at: end.at, directoryEnd: at, count: long(view, 32), size: long(view, 40), place: long(view, 48)};
    }
  }
  return end;
};

// The parts of an extra field, each with its number and bytes.
const partsOf = (extra) => {
  const parts = [], view = new DataView(extra.buffer, extra.byteOffset, extra.length);
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + view.getUint16(at + 2, true);
    parts.push({id: view.getUint16(at, true), bytes: extra.subarray(at, end), view, at: at + 4, end});
    at = end;
  }
  return parts;
};
const readLarge = (entry, extra) => {
  const part = partsOf(extra).find((each) => each.id === ZIP_64);
  let at = part?.at ?? 0;
  for (const name of ["size", "packedSize", "place"]) {
    if (part && entry[name] === NO_SIZE && at + 8 <= part.end) {
      entry[name] = long(part.view, at);
      at += 8;
    }
  }
};

const readEntry = (bytes, view, at) => {
  const [nameBytes, extraBytes, noteBytes] = [28, 30, 32].map((each) => view.getUint16(at + each, true));
  const end = at + 46 + nameBytes + extraBytes + noteBytes, name = bytes.slice(at + 46, at + 46 + nameBytes);
  const extra = bytes.slice(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes);
  const entry = {
    name, text: LATIN.decode(name), madeBy: view.getUint16(at + 4, true), flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true), time: view.getUint32(at + 12, true), crc: view.getUint32(at + 16, true),
    packedSize: view.getUint32(at + 20, true), size: view.getUint32(at + 24, true),
    inside: view.getUint16(at + 36, true), outside: view.getUint32(at + 38, true), place: view.getUint32(at + 42, true),
  };
  readLarge(entry, extra);
  entry.extra = partsOf(extra).filter((each) => each.id !== ZIP_64).map((each) => each.bytes);
  return [entry, end];
};

// Returns the entries of a zip, each with the place of its bytes; null for one that is not written anew: locked,
// damaged, of unknown form, or with files that share bytes. The server has a sentence for each.
const readZip = async (blob) => {
  const end = await findEnd(blob), shift = end ? end.directoryEnd - end.size - end.place : -1;
  if (!end || shift < 0 || end.count > MOST_ENTRIES || end.size > MOST_DIRECTORY_BYTES) return null;
  const view = await viewOf(blob, end.place + shift, end.size), bytes = new Uint8Array(view.buffer), entries = [];
  for (let at = 0; at + 46 <= bytes.length && view.getUint32(at, true) === CENTRAL && entries.length <= end.count;) {
    const [entry, next] = readEntry(bytes, view, at);
    if (entry.flags & LOCKED_FLAGS || entry.method === WINZIP_AES || next > bytes.length) return null;
    entries.push(Object.assign(entry, {place: entry.place + shift}));
    at = next;
  }
  if (entries.length !== end.count || !end.count) return null;
  const ordered = [...entries].sort((one, other) => one.place - other.place);
  let free = 0;
  for (const entry of ordered) {
    const head = await viewOf(blob, entry.place, 30);
    if (entry.place < free || head.byteLength < 30 || head.getUint32(0, true) !== LOCAL) return null;
    entry.from = entry.place + 30 + head.getUint16(26, true) + head.getUint16(28, true);
    free = entry.from + entry.packedSize;
  }
  return free <= end.place + shift ? entries : null;
};

const packedBytes = (blob, entry) => blob.slice(entry.from, entry.from + entry.packedSize);

const CRC = Uint32Array.from({length: 256}, (_, each) => {
  for (let bit = 0; bit < 8; bit += 1) each = each & 1 ? (each >>> 1) ^ 0xedb88320 : each >>> 1;
  return each;
});
const sum = (bytes) => {
  let crc = -1;
  for (let at = 0; at < bytes.length; at += 1) crc = CRC[(crc ^ bytes[at]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
};
const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());

// Returns a file's bytes as a blob; null where they are not what the directory says, or more than is allowed.
const inflate = async (blob, entry, maxBytes) => {
  if (entry.size > maxBytes || ![STORED, DEFLATED].includes(entry.method)) return null;
  const packed = packedBytes(blob, entry);
  const stream = packed.stream();
  const reader = (entry.method === STORED ? stream : stream.pipeThrough(new DecompressionStream("deflate-raw"))).getReader();
  const chunks = [];
  let size = 0;
  try {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) break;
      size += value.length;
      if (size > entry.size) break;
      chunks.push(value);
    }
    await reader.cancel();
  } catch {
    return null;
  }
  const whole = new Blob(chunks);
  return size === entry.size && sum(await bytesOf(whole)) === entry.crc ? whole : null;
};

const headOf = (entry, {isCentral, at = 0}) => {
  const extraBytes = entry.extra.reduce((total, each) => total + each.length, 0);
  const view = new DataView(new ArrayBuffer(isCentral ? 46 : 30));
  const [step, put16, put32] = [isCentral ? 2 : 0, (place, value) => view.setUint16(place, value, true),
    (place, value) => view.setUint32(place, value, true)];
  put32(0, isCentral ? CENTRAL : LOCAL);
  if (isCentral) put16(4, entry.madeBy);
  put16(4 + step, 20); // the version that reads it
  put16(6 + step, entry.flags & FLAGS_KEPT);
  put16(8 + step, entry.method);
  put32(10 + step, entry.time);
  put32(14 + step, entry.crc);
  put32(18 + step, entry.packedSize);
  put32(22 + step, entry.size);
  put16(26 + step, entry.name.length);
  put16(28 + step, extraBytes);
  if (isCentral) {
    put16(36, entry.inside);
    put32(38, entry.outside);
    put32(42, at);
  }
  return [view, entry.name, ...entry.extra];
};

// Writes entries, each with its `content` as it is packed, and a comment of ASCII.
const writeZip = (entries, comment) => {
  const parts = [], directory = [];
  let at = 0;
  const length = (each) => each.size ?? each.byteLength;
  for (const entry of entries) {
    const written = [...headOf(entry, {isCentral: false}), entry.content];
    directory.push(...headOf(entry, {isCentral: true, at}));
    parts.push(...written);
    at = written.reduce((total, each) => total + length(each), at);
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, END, true);
  end.setUint16(8, entries.length, true);
  end.setUint16(10, entries.length, true);
  end.setUint32(12, directory.reduce((total, each) => total + length(each), 0), true);
  end.setUint32(16, at, true);
  end.setUint16(20, comment.length, true);
  return new Blob([...parts, ...directory, end, comment], {type: "application/zip"});
};
