import { useMemo } from "preact/hooks";
import { WorldMap } from "../charts/WorldMap";
import { countryName } from "../format/places";
import { toggleValue } from "../state/filters";
import { plain, write } from "../state/metrics";
import { useProject } from "../state/project";
import { useQuery } from "../state/useQuery";
import { ErrorState, Skeleton } from "../ui/States";
import { panelQuery } from "./panels";

const COUNTRIES_MAX = 300;

export function MapReport() {
  const { project, state, today, round, go } = useProject();
  const loaded = useQuery(panelQuery(project.name, { ...state, comparison: null }, today, "visit:country", ["visitors"], COUNTRIES_MAX), round);
  const values = useMemo(
    () => new Map((loaded.data?.results ?? []).map((row) => [String(row.dimensions[0]), plain(row.metrics[0]) ?? 0])),
    [loaded.data],
  );
  if (loaded.error) return <ErrorState what="The map could not be had" message={loaded.error.message} onRetry={loaded.retry} />;
  if (!loaded.data) return <Skeleton height={17} label="Loading the map" />;
  return (
    <WorldMap
      values={values}
      title={`Map of visitors from ${values.size} countries; the tab Countries lists them`}
      describe={(code) => `${countryName(code)}: ${write("visitors", values.get(code) ?? 0, "long")} visitors`}
      onPick={(code) => go({ filters: toggleValue(state.filters, "visit:country", code) })}
    />
  );
}
