// Is a file a film, or a picture? Told from its kind and its first bytes, before anything is sent.

const HEAD = 64; // bytes in which an animated WebP says that it is one
const TAIL = 65_536; // bytes at a GIF's end in which its recipe stands
const OURS = /"(keyframes|method|prompt_strength|in_between)"/;

/** A film that may carry a recipe; a GIF only where it does. @param {File} file @returns {Promise<boolean>} */
export async function isFilm(file) {
  const is = (kind, ...endings) => file.type === kind || endings.some((ending) => file.name.toLowerCase().endsWith(ending));
  if (file.type.startsWith("video/") || is("application/zip", ".zip", ".mp4", ".webm")) return true;
  if (is("image/webp", ".webp")) return (await file.slice(0, HEAD).text()).includes("ANIM");
  return is("image/gif", ".gif") && OURS.test(await file.slice(-TAIL).text());
}
