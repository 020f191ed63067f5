/**
 * What the models run on, in the server's words: it may have changed since the page was rendered.
 */

/**
 * @param {string} url
 * @returns {Promise<Record<string, string> | null>} words by the model's name; null where nobody answers
 */
export async function fetchEngines(url) {
  try {
    const response = await fetch(url);
    return response.ok ? await response.json() : null;
  } catch {
    return null; // the server has gone; its next welcome has it asked again
  }
}
