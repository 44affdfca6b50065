// Countries by their code, in the viewer's language.

let names: Intl.DisplayNames | null = null;
try {
  names = new Intl.DisplayNames(undefined, { type: "region" });
} catch {
  names = null;
}

export function countryName(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  try {
    return names?.of(code) ?? code;
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
