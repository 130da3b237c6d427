// Which pictures of a zip are sent where there are more than are used: as many of each class, always the same ones.
const PICTURE = /\.(jpe?g?|jfif|mpo|png|webp|gif|bmp|avif|hei[cf]|tiff?)$/i;
const LITTER = /(^|[/\\])(\.|__macosx([/\\]|$)|thumbs\.db$|@eadir[/\\]|\$recycle\.bin[/\\])/i;
const split = (text) => {
  const at = Math.max(text.lastIndexOf("/"), text.includes("/") ? -1 : text.lastIndexOf("\\"));
  return [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
};
const isPicture = (entry) => {
  const [, name] = split(entry.text);
  return name !== "" && entry.size > 0 && !LITTER.test(entry.text) && (PICTURE.test(name) || !name.includes("."));
};

const SEED = 17;
const shuffled = (text) => {
  let hash = 2_166_136_261 ^ SEED;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
};

// A class may lie in several splits, in folders of one name: of these each keeps its share.
const groupByClass = (pictures) => {
  const groups = new Map();
  for (const each of pictures) {
    const [folder] = split(each.text), [, own] = split(folder), name = own.trim().toLowerCase();
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push({each, folder, order: shuffled(each.text)});
  }
  for (const group of groups.values()) {
    group.sort((one, other) => (one.folder < other.folder ? -1 : +(one.folder > other.folder)) || one.order - other.order);
  }
  return [...groups.values()].sort((one, other) => one.length - other.length);
};

// Returns so many of the pictures, as a set: small classes whole, of the large ones the same number.
const choose = (pictures, most) => {
  if (pictures.length <= most) return new Set(pictures);
  const chosen = new Set();
  groupByClass(pictures).forEach((group, number, groups) => {
    const count = Math.min(group.length, Math.floor((most - chosen.size) / (groups.length - number)));
    for (let at = 0; at < count; at += 1) chosen.add(group[Math.floor(((at + 0.5) * group.length) / count)].each);
  });
  return chosen;
};

// Of the files beside the pictures those nearest to the top stay, where a table of labels lies.
const nearest = (others, most) => {
  const depth = (entry) => entry.text.split(/[/\\]/).length;
  return [...others].sort((one, other) => depth(one) - depth(other)).slice(0, Math.max(0, most));
};
