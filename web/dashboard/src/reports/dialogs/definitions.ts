// What each metric means, as docs/query.md defines it.
export const DEFINITIONS: Record<string, string> = {
  visitors: "Different visitors among the events that match. Somebody who comes back within the range counts once.",
  visits: "Visits with at least one event that matches. 30 minutes of silence, or 24 hours, end a visit.",
  pageviews: "Matching events that are views of a page.",
  events: "All matching events: pageviews and everything else that was sent.",
  views_per_visit: "Pageviews divided by visits.",
  bounce_rate: "Share of those visits whose whole visit has one pageview and no other interaction.",
  visit_duration: "Mean over those visits of the time from the first to the last event of the whole visit.",
  time_on_page:
    "Mean time that pages were in use where browsers report it, else the time to the visit's next pageview; the last page of a visit without a report counts as unknown.",
  scroll_depth: "Mean of how far down pages were scrolled, by visit and page.",
  exit_rate: "Visits that ended on the page, divided by its pageviews.",
  percentage: "Visitors of the row as a share of all visitors who match.",
  conversions: "Events that match the goal.",
  conversion_rate: "Visitors who reached the goal, as a share of the visitors who match the other filters.",
  group_conversion_rate: "Of the row's visitors, the share that reached the goal.",
  total_revenue: "Sum of the revenue of the events that match.",
  average_revenue: "Revenue divided by the events that carry it.",
  entries: "Visits that began on the page.",
  exits: "Visits that ended on the page.",
};
