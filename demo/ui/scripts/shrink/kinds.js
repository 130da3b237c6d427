// What a picture is, by its first bytes: its kind, its size, and whether a canvas would lose what the server reads.
const HEAD_BYTES = 1_000_000; // a phone's JPEG may have half a megabyte of notes before its size
const letters = (bytes, at, count) => String.fromCharCode(...bytes.subarray(at, at + count));
const find = (bytes, word, from = 0) => {
  for (let at = bytes.indexOf(word.charCodeAt(0), from); at >= 0; at = bytes.indexOf(word.charCodeAt(0), at + 1)) {
    if (letters(bytes, at, word.length) === word) return at;
  }
  return -1;
};

const measureJpeg = (view) => {
  for (let at = 2; ;) {
    while (view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xff) at += 1;
    const marker = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff || marker === 0xda) return null;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5), at];
    at += 2 + view.getUint16(at + 2);
  }
};
const measureWebp = (bytes, view) => {
  const [chunk, three] = [letters(bytes, 12, 4), (at) => view.getUint16(at, true) + 65_536 * view.getUint8(at + 2)];
  if (chunk === "VP8X") return [three(24) + 1, three(27) + 1];
  if (chunk === "VP8 ") return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  const packed = view.getUint32(21, true);
  return [(packed & 0x3fff) + 1, ((packed >> 14) & 0x3fff) + 1];
};
// A large picture of this family is laid together of tiles, each with its own size: the largest counts.
const measureHeif = (bytes, view) => {
  let largest = null;
  for (let at = find(bytes, "ispe"); at >= 0; at = find(bytes, "ispe", at + 4)) {
    const size = [view.getUint32(at + 8), view.getUint32(at + 12)];
    if (!largest || size[0] * size[1] > largest[0] * largest[1]) largest = size;
  }
  return largest;
};

// The server turns pictures by notes that not every browser reads, stretches what has 16 bits, and takes the picture
// that an animated PNG has for readers that know no animations; of a BMP's fourth channel nobody knows what it is.
const turnsByOtherNotes = (bytes) => find(bytes, "tiff:Orientation") >= 0;
const KINDS = [
  {
    type: "image/jpeg",
    isIt: (bytes) => letters(bytes, 0, 3) === "\xff\xd8\xff",
    measure: (bytes, view) => measureJpeg(view),
    isOdd: (bytes) => turnsByOtherNotes(bytes) && find(bytes.subarray(0, 65_536), "Exif\0") < 0,
  },
  {
    type: "image/png",
    isIt: (bytes) => letters(bytes, 0, 8) === "\x89PNG\r\n\x1a\n",
    measure: (bytes, view) => [view.getUint32(16), view.getUint32(20)],
    isOdd: (bytes) => bytes[24] === 16 || turnsByOtherNotes(bytes)
      || ["eXIf", "acTL", "Raw profile type exif"].some((each) => find(bytes, each) >= 0),
  },
  {
    type: "image/webp",
    isIt: (bytes) => letters(bytes, 0, 4) === "RIFF" && letters(bytes, 8, 4) === "WEBP",
    measure: measureWebp,
    isOdd: (bytes) => letters(bytes, 12, 4) === "VP8X" && (bytes[20] & 0x0c) > 0,
  },
  {
    type: "image/gif",
    isIt: (bytes) => letters(bytes, 0, 4) === "GIF8",
    measure: (bytes, view) => [view.getUint16(6, true), view.getUint16(8, true)],
  },
  {
    type: "image/bmp",
    isIt: (bytes) => letters(bytes, 0, 2) === "BM",
    measure: (bytes, view) => [view.getInt32(18, true), Math.abs(view.getInt32(22, true))],
    isOdd: (bytes) => [16, 32].includes(bytes[28]),
  },
  {
    type: "image/avif",
    isIt: (bytes) => letters(bytes, 4, 4) === "ftyp" && letters(bytes, 8, 4) === "avif",
    measure: measureHeif,
  },
  {
    type: "image/heic", // which Safari alone shows
    isIt: (bytes) => letters(bytes, 4, 4) === "ftyp" && ["heic", "heix", "mif1"].includes(letters(bytes, 8, 4)),
    measure: measureHeif,
  },
];

// Returns type, width, height and, of a JPEG, the place of a picture that may be drawn anew; null for all else.
const look = (bytes) => {
  const kind = KINDS.find((each) => each.isIt(bytes));
  if (!kind || kind.isOdd?.(bytes)) return null;
  try {
    const [width, height, at] = kind.measure(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length)) ?? [];
    return width > 0 && height > 0 ? {type: kind.type, width, height, at} : null;
  } catch (error) {
    if (error instanceof RangeError) return null; // it ends before its size
    throw error;
  }
};

// A browser fills with grey what a cut file lacks, of which the server could then say nothing.
const isWhole = (bytes, {type, at}) => {
  if (type === "image/png") return find(bytes.subarray(-1_000), "IEND") >= 0;
  return type !== "image/jpeg" || find(bytes, "\xff\xd9", find(bytes, "\xff\xda", at)) >= 0;
};

const isVideo = (bytes) => {
  const brand = letters(bytes, 4, 4) === "ftyp" && letters(bytes, 8, 4);
  return ["qt  ", "isom", "iso2", "mp41", "mp42", "avc1", "M4V ", "3gp4", "3gp5", "3gp6"].includes(brand)
    || letters(bytes, 0, 4) === "\x1a\x45\xdf\xa3" || (letters(bytes, 0, 4) === "RIFF" && letters(bytes, 8, 4) === "AVI ");
};
