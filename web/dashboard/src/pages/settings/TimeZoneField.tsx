import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { SelectField } from "../../ui/Field";

export const viewersZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

// All IANA zones that the browser knows, and the one that is set whatever it is.
export function TimeZoneField({ value, onChoice, hint, error }: { value: string; onChoice: (zone: string) => void; hint?: ComponentChildren; error?: string | null }) {
  const choices = useMemo(() => {
    const zones = new Set(["UTC", value, viewersZone(), ...Intl.supportedValuesOf("timeZone")]);
    return [...zones].map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") }));
  }, [value]);
  return <SelectField label="Time zone" hint={hint} error={error} choices={choices} value={value} onChoice={onChoice} />;
}
