import { describe, expect, it } from "vitest";
import { programOf } from "./program";

describe("programOf", () => {
  it("names the browser and the system", () => {
    expect(programOf("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")).toBe("Firefox 128 on Linux");
    expect(programOf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0")).toBe(
      "Edge 140 on Windows",
    );
    expect(programOf("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36")).toBe("Chrome 139 on Android");
    expect(programOf("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1")).toBe(
      "Safari 18 on iPhone",
    );
  });
  it("leaves what it does not know as it is", () => {
    expect(programOf("curl/7.88.1")).toBe("curl/7.88.1");
    expect(programOf("")).toBe("unknown");
  });
});
