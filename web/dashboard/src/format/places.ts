// Countries and languages by their code, in the viewer's language.

let countries: Intl.DisplayNames | null = null;
export function countryName(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  try {
    countries ??= new Intl.DisplayNames(undefined, { type: "region" });
    return countries.of(code) ?? code;
  } catch {
    return code;
  }
}

let languages: Intl.DisplayNames | null = null;
export function localeName(code: string): string {
  try {
    languages ??= new Intl.DisplayNames(undefined, { type: "language" });
    return languages.of(code) ?? code;
  } catch {
    return code;
  }
}
