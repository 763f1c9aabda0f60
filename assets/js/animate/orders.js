// From the draft and the desk to what is handed in.

/**
 * @param {{draft: any, desk: any, shared: string[], english: (id: number) => Promise<string>}} tools
 *   `shared`: the desk's fields that go along; `english`: a keyframe's prompt in the words that the model reads
 */
export function createOrders({ draft, desk, shared, english }) {
  const common = () => Object.fromEntries(shared.filter((name) => name in desk.values).map((name) => [name, desk.values[name]]));

  /** What a keyframe says for itself; what it leaves open is as on the desk. */
  function own({ id, thumb, drawing, of, english: words, picture, seed, guidance_scale: scale, ...rest }) {
    return { ...rest, ...(seed === null ? {} : { seed }), ...(scale === null ? {} : { guidance_scale: scale }), ...(picture ? { picture } : {}) };
  }

  return {
    /** The whole animation. @returns {Promise<Record<string, any>>} */
    async animation() {
      const keyframes = await Promise.all(draft.keyframes.map(async (each) => ({ ...own(each), prompt: await english(each.id) })));
      const { strength, ...film } = draft.film;
      const pictures = draft.keyframes.some(({ picture }) => picture);
      return { ...common(), ...film, ...(pictures ? { strength } : {}), keyframes };
    },
    /**
     * One keyframe as a picture of its own; with `inWords`, once its prompt is in the words that the model reads.
     * @param {import("./draft.js").Keyframe} keyframe @param {boolean} [inWords]
     */
    picture(keyframe, inWords = false) {
      const { prompt, negative_prompt, seed, guidance_scale } = keyframe;
      const values = { ...common(), prompt, negative_prompt, num_images: 1, batch_size: 1 };
      if (seed !== null) values.seed = seed;
      if (guidance_scale !== null) values.guidance_scale = guidance_scale;
      return inWords ? english(keyframe.id).then((words) => ({ ...values, prompt: words })) : values;
    },
  };
}
