/**
 * The languages of texts for users, and which of them somebody reads. Texts stand beside the code that says them, as a catalogue: the
 * same messages in each language, so that one that is missing does not compile. Pure.
 */

export const languages = ['en', 'de'] as const;
export type Language = (typeof languages)[number];

/** The same messages in every language. */
export type Catalogue<Messages> = Readonly<Record<Language, Messages>>;

/** The first of the wishes that is a language of ours; undefined for none. @param wish a language tag such as `de-AT` (RFC 5646); texts fit all regions */
export function spokenLanguage(wish: string | undefined): Language | undefined {
  const primary = wish?.trim().toLowerCase().split(/[-_]/, 1)[0];
  return languages.find((language) => language === primary);
}

/** So many ranges of a header are looked at; browsers send fewer than ten. */
const mostRanges = 20;

/**
 * What a list of preferences asks for: of those that are ours the one with the highest quality, the first of equal ones. The header
 * field Accept-Language (RFC 9110 section 12.5.4) and the attribute preferredLanguage (RFC 2798 section 2.7) have the same form.
 * Undefined when none is ours, or the header is none.
 */
export function preferredLanguage(header: string | undefined): Language | undefined {
  const ranges = (header ?? '').split(',', mostRanges).map((range) => {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim());
    const given = parameters.map((parameter) => /^q=([01](?:\.\d{0,3})?)$/i.exec(parameter)?.[1]).find((quality) => quality !== undefined);
    return { language: spokenLanguage(tag), quality: given === undefined ? 1 : Number(given) };
  });
  let best: { readonly language: Language; readonly quality: number } | undefined;
  for (const { language, quality } of ranges) if (language !== undefined && quality > (best?.quality ?? 0)) best = { language, quality };
  return best?.language;
}
