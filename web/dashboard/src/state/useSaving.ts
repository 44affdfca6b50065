import { useState } from "preact/hooks";
import { asApiError, type ApiError } from "../api/client";

// One change after the other, and how the last one went.
export interface Saving {
  busy: boolean;
  error: ApiError | null;
  // Runs the change; true when it went well.
  save: (change: () => Promise<unknown>) => Promise<boolean>;
}

export function useSaving(): Saving {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  return {
    busy,
    error,
    save: async (change) => {
      setBusy(true);
      setError(null);
      try {
        await change();
        setBusy(false);
        return true;
      } catch (why) {
        setError(asApiError(why));
        setBusy(false);
        return false;
      }
    },
  };
}
