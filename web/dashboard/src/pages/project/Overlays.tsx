import "../../reports/dialogs.css";
import { DetailView } from "../../reports/DetailView";
import { AnnotateDialog } from "../../reports/dialogs/AnnotateDialog";
import { FilterDialog } from "../../reports/dialogs/FilterDialog";
import { KeyHelp } from "../../reports/dialogs/KeyHelp";
import { NumberInfo } from "../../reports/dialogs/NumberInfo";
import { Palette } from "../../reports/dialogs/Palette";
import { RangeDialog } from "../../reports/dialogs/RangeDialog";
import { SegmentDialog } from "../../reports/dialogs/SegmentDialog";
import type { Overlay } from "../../reports/dialogs/overlay";
import { ProjectProvider, type ProjectView } from "../../state/project";

export function Overlays({
  view,
  overlay,
  metrics,
  onClose,
  onOpen,
}: {
  view: ProjectView;
  overlay: Overlay | null;
  metrics: readonly string[];
  onClose: () => void;
  onOpen: (overlay: Overlay) => void;
}) {
  let over = null;
  switch (overlay?.kind) {
    case "filter":
      over = <FilterDialog filter={overlay.filter} onClose={onClose} />;
      break;
    case "range":
    case "comparison":
      over = <RangeDialog what={overlay.kind} onClose={onClose} />;
      break;
    case "segment":
      over = <SegmentDialog onClose={onClose} />;
      break;
    case "annotate":
      over = <AnnotateDialog onClose={onClose} />;
      break;
    case "number":
      over = <NumberInfo metric={overlay.metric} onClose={onClose} />;
      break;
    case "help":
      over = <KeyHelp onClose={onClose} />;
      break;
    case "palette":
      over = <Palette metrics={metrics} onClose={onClose} onOpen={onOpen} />;
      break;
  }
  return (
    <ProjectProvider value={view}>
      {view.state.detail ? <DetailView detail={view.state.detail} /> : null}
      {over}
    </ProjectProvider>
  );
}
