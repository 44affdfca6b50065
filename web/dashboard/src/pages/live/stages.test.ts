import { expect, test } from "vitest";
import type { Sighting } from "../../api/live";
import { isSettled, sentStage, storedStages } from "./stages";

const seen = (rest: Partial<Sighting>): Sighting => ({ position: "live:8", epoch: 1, project: "shop", stage: "stored", ...rest });

test("what sending answered is told apart", () => {
  expect(sentStage(null).state).toBe("busy");
  expect(sentStage({ status: 201, dropped: null, error: null }).title).toBe("Accepted");
  expect(sentStage({ status: 202, dropped: "retention", error: null }).text).toContain("retention");
  expect(sentStage({ status: 400, dropped: null, error: "`type`: missing" }).text).toBe("400: `type`: missing");
});

test("a stored event says how it was labelled and why", () => {
  const bot = storedStages(seen({ row: { traffic: "bot", traffic_reason: "library: curl" } }));
  expect(bot.map((stage) => stage.title)).toEqual(["In the journal", "Enriched and stored", "Labelled bot"]);
  expect(bot[2]!.text).toContain("library: curl");
  expect(storedStages(seen({ row: { traffic: "human" } }))[2]!.title).toBe("Counted as a person");
});

test("what has no row says why", () => {
  expect(storedStages(seen({ stage: "settled", outcome: "duplicate", first: "live:2" }))[1]!.text).toContain("live:2");
  expect(storedStages(seen({ stage: "settled", outcome: "dead", reason: "too long" }))[1]!.text).toContain("too long");
  expect(storedStages(seen({ stage: "forgotten" }))[0]!.state).toBe("failed");
});

test("only what still waits is looked for again", () => {
  expect(isSettled(null)).toBe(false);
  expect(isSettled(seen({ stage: "waiting", before: 3 }))).toBe(false);
  expect(isSettled(seen({}))).toBe(true);
});
