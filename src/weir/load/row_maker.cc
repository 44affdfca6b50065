#include "weir/load/row_maker.h"

namespace weir::load {

Result<const settings::Secrets::Opened*> PersonalFields::of(ProjectId project, std::string_view personal) {
  if (personal.empty()) return nullptr;
  if (personal != text_) {
    auto opened = secrets_.open(project, personal);
    if (!opened && opened.error().code != ErrorCode::kNotFound && opened.error().code != ErrorCode::kCorrupt)
      return std::move(opened).error();
    text_.assign(personal);
    opened_.reset();
    if (opened) opened_.emplace(*std::move(opened));
  }
  return opened_ ? &*opened_ : nullptr;
}

void RowMaker::refresh() {
  snapshot_ = parts_.settings.snapshot();
  project_id_ = {};
  project_ = nullptr;
  enricher_.use(parts_.packs != nullptr ? parts_.packs->current() : nullptr, snapshot_);
}

Result<const event::Row*> RowMaker::make(const event::Event& event, enrich::Place place) {
  auto personal = personal_.of(event.project_id, event.personal);
  if (!personal) return std::move(personal).error();
  if (event.project_id != project_id_) {
    project_id_ = event.project_id;
    project_ = snapshot_->project(project_id_);
  }
  return &enricher_.enrich(event, place, project_ != nullptr ? project_->ip_policy : settings::IpPolicy::none,
                           *personal);
}

}  // namespace weir::load
