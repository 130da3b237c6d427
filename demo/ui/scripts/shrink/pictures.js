// Makes a picture smaller, upright, by the browser's own decoder and a canvas. What it cannot do is sent as it is.
const LADDER = [[1024, 0.85], [1024, 0.75], [768, 0.8], [768, 0.7], [512, 0.75], [384, 0.7]]; // longest side, quality
const OPAQUE = ["image/jpeg", "image/bmp", "image/heic"];

const newCanvas = (width, height) => {
  if (typeof OffscreenCanvas === "function") return new OffscreenCanvas(width, height);
  return Object.assign(document.createElement("canvas"), {width, height});
};
const encode = (canvas, type, quality) => canvas.convertToBlob?.({type, quality})
  ?? new Promise((resolve) => canvas.toBlob(resolve, type, quality));

// Draws to a size by halves at first, because one large step leaves out pixels in some browsers.
const draw = (image, width, height) => {
  let from = image;
  for (;;) {
    const isLast = from.width <= 2 * width;
    const [w, h] = isLast ? [width, height] : [Math.ceil(from.width / 2), Math.ceil(from.height / 2)];
    const canvas = newCanvas(w, h), context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(from, 0, 0, w, h);
    if (from !== image) from.width = from.height = 0; // gives its memory back
    if (isLast) return canvas;
    from = canvas;
  }
};

const isSeenThrough = (canvas) => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 3; at < data.length; at += 4) if (data[at] < 255) return true;
  return false;
};

// A browser that protects against being recognized may give back noise in the place of what was drawn.
let isHonest = null;
const checkHonesty = () => {
  const canvas = newCanvas(16, 16), context = canvas.getContext("2d");
  for (let at = 0; at < 16; at += 1) {
    context.fillStyle = `rgb(${at * 16}, ${255 - at * 16}, ${at * 8})`;
    context.fillRect(at, 0, 1, 16);
  }
  const {data} = context.getImageData(0, 0, 16, 16);
  const isNear = (at, value) => Math.abs(data[at] - value) <= 2;
  return [...Array(256).keys()].every((each) => {
    const at = each % 16;
    return isNear(4 * each, at * 16) && isNear(4 * each + 1, 255 - at * 16) && isNear(4 * each + 2, at * 8);
  });
};

const fit = ({width, height}, side) => {
  const scale = Math.min(1, side / Math.max(width, height));
  return [width, height].map((each) => Math.max(1, Math.round(each * scale)));
};

const encodeWithin = async (image, type, maxBytes) => {
  let canvas = null, blob = null;
  for (const [side, quality] of LADDER) {
    const [width, height] = fit(image, side);
    if (canvas?.width !== width || canvas.height !== height) canvas = draw(image, width, height);
    const keepsAlpha = !OPAQUE.includes(type) && isSeenThrough(canvas);
    blob = await encode(canvas, keepsAlpha ? "image/webp" : "image/jpeg", quality); // a PNG where WebP is not written
    if (!blob || blob.size <= maxBytes) break;
  }
  return blob;
};

// Returns a smaller picture, or the same blob.
const shrinkPicture = async (blob, maxBytes, limits) => {
  const most = Math.min(limits.lightBytes, maxBytes);
  if (blob.size <= most || blob.size > limits.inflatedBytes) return blob;
  const seen = look(new Uint8Array(await blob.slice(0, HEAD_BYTES).arrayBuffer()));
  if (!seen || seen.width * seen.height > limits.pixels || Math.max(seen.width, seen.height) > limits.sidePx) return blob;
  isHonest ??= checkHonesty();
  if (!isHonest || !isWhole(new Uint8Array(await blob.arrayBuffer()), seen)) return blob;
  let image = null;
  try {
    image = await createImageBitmap(new Blob([blob], {type: seen.type}), {imageOrientation: "from-image"});
    const smaller = await encodeWithin(image, seen.type, most);
    return smaller && smaller.size < blob.size ? smaller : blob;
  } catch {
    return blob; // the server says what is wrong with it
  } finally {
    image?.close();
  }
};
