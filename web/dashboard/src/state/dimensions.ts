import { countryName, localeName } from "../format/places";

// How each dimension is called, and how its values are shown.
export const DIMENSIONS: Record<string, string> = {
  "visit:channel": "Channel",
  "visit:source": "Source",
  "visit:referrer": "Referrer",
  "visit:utm_source": "UTM source",
  "visit:utm_medium": "UTM medium",
  "visit:utm_campaign": "UTM campaign",
  "visit:utm_term": "UTM term",
  "visit:utm_content": "UTM content",
  "event:page": "Page",
  "visit:entry_page": "Entry page",
  "visit:exit_page": "Exit page",
  "event:hostname": "Hostname",
  "event:title": "Title",
  "visit:country": "Country",
  "visit:region": "Region",
  "visit:city": "City",
  "visit:browser": "Browser",
  "visit:browser_version": "Browser version",
  "visit:os": "Operating system",
  "visit:os_version": "Operating system version",
  "visit:device": "Device",
  "visit:screen": "Screen size",
  "visit:locale": "Language",
  "event:goal": "Goal",
  "event:name": "Event",
  "event:app_version": "App version",
  "event:traffic": "Traffic",
  "event:traffic_reason": "Traffic, why",
  "event:revenue": "Revenue",
  segment: "Segment",
};

export const PROPERTY = "event:props:";

export const dimensionName = (dimension: string): string =>
  dimension.startsWith(PROPERTY) ? `Property ${dimension.slice(PROPERTY.length)}` : (DIMENSIONS[dimension] ?? dimension);

export function showValue(dimension: string, value: string | number): string {
  const text = String(value);
  if (text === "") return "(none)";
  if (dimension === "visit:country") return countryName(text);
  if (dimension === "visit:locale") return localeName(text);
  if (dimension === "visit:device") return text === "tv" ? "TV" : text.charAt(0).toUpperCase() + text.slice(1);
  return text;
}

export const hasPlaces = (dimension: string): boolean => /^visit:(country|region|city)/.test(dimension);
