// A recipe as a link: its text, packed, behind the # of the page's own address. Browsers send that part
// to no server, and nothing else of the picture or of who made it is in it.

const MARK = "recipe=";
const LONGEST = 400_000; // characters that a link may unpack to

/** @param {string} text A1111's lines @returns {Promise<string>} */
export async function linkOf(text) {
  const packed = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(text));
  const letters = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(""));
  const page = new URL(location.href);
  [page.search, page.hash] = ["", MARK + letters.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")];
  return page.href;
}

/** Does the text hold a recipe link? @param {string} text */
export const holdsLink = (text) => text.includes(`#${MARK}`);

/**
 * The recipe's text in a link, or in an address's hash; throws when it is damaged.
 * @param {string} link @returns {Promise<string>}
 */
export async function textOf(link) {
  const letters = link.slice(link.indexOf(`#${MARK}`) + MARK.length + 1).match(/^[\w-]*/)?.[0] ?? "";
  const packed = Uint8Array.from(atob(letters.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const text = await through(new DecompressionStream("deflate-raw"), packed, LONGEST);
  return new TextDecoder("utf-8", { fatal: true }).decode(text);
}

/** Bytes sent through a stream; throws when more than `most` come out. */
async function through(stream, bytes, most = Infinity) {
  const writer = stream.writable.getWriter();
  writer.write(bytes).catch(() => {}); // what is wrong with the bytes is told by the reader
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  const parts = [];
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) throw new Error("too long");
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
