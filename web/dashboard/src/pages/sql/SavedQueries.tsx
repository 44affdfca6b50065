import { useRef, useState } from "preact/hooks";
import { api, asApiError, type ApiError } from "../../api/client";
import { useLoad } from "../../state/useLoad";
import { useSaving } from "../../state/useSaving";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { CheckField, TextField } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { SaveForm } from "../../ui/SaveForm";
import { toast } from "../../ui/Toast";

export interface SavedQuery {
  id: string;
  project: string | null;
  name: string;
  owner: string | null; // "me": mine alone
  sql: string;
}

export function useSavedQueries(project: string | null) {
  return useLoad(project ?? "all", async (signal) =>
    (await api.get<{ queries: SavedQuery[] }>("/api/v1/queries", { signal, query: { project: project ?? undefined } })).queries,
  );
}

export function SavedQueries({ queries, error, selected, onPick, onChanged }: { queries: SavedQuery[] | null; error: ApiError | null; selected: string | null; onPick: (query: SavedQuery) => string; onChanged: () => void }) {
  const section = useRef<HTMLElement>(null);
  const remove = async (query: SavedQuery) => {
    if (!window.confirm(`Delete the query “${query.name}”${query.owner ? "" : " for everybody"}?`)) return;
    try {
      await api.del(`/api/v1/queries/${encodeURIComponent(query.id)}`);
      section.current?.focus({ preventScroll: true }); // the button goes with its query
      onChanged();
    } catch (why) {
      toast(`Not deleted: ${asApiError(why).message}`, "bad");
    }
  };
  return (
    <section class="card" aria-label="Saved queries" tabIndex={-1} ref={section}>
      <h2>Saved queries</h2>
      {error ? (
        <p class="field-error">{error.message}</p>
      ) : !queries ? (
        <p class="soft">Loading…</p>
      ) : queries.length === 0 ? (
        <p class="soft">None yet. Save a statement, for you alone or for all who may ask SQL here.</p>
      ) : (
        <ul class="sql-saved">
          {queries.map((query) => (
            <li key={query.id}>
              <a href={onPick(query)} aria-current={query.id === selected ? "true" : undefined}>
                {query.name}
              </a>
              {query.owner ? <span class="badge">mine</span> : null}
              <Button small icon look="plain" aria-label={`Delete the query ${query.name}`} onClick={() => void remove(query)}>
                <Icon name="bin" />
              </Button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

// `known`: the query that is open and may be changed instead.
export function SaveDialog({ sql, project, known, onSaved, onClose }: { sql: string; project: string | null; known: SavedQuery | null; onSaved: (query: SavedQuery) => void; onClose: () => void }) {
  const [name, setName] = useState(known?.name ?? "");
  const [personal, setPersonal] = useState(known ? known.owner !== null : true);
  const saving = useSaving();
  const save = (anew: boolean) =>
    saving.save(async () => {
      const body = { name: name.trim(), sql };
      onSaved(
        known && !anew
          ? await api.patch<SavedQuery>(`/api/v1/queries/${encodeURIComponent(known.id)}`, body)
          : await api.post<SavedQuery>("/api/v1/queries", { ...body, personal, ...(project ? { project } : {}) }),
      );
    });
  return (
    <Dialog title="Save the query" onClose={onClose}>
      <SaveForm
        saving={saving}
        button={known ? "Save the change" : "Save"}
        onSave={() => save(false)}
        more={
          known ? (
            <Button busy={saving.busy} onClick={() => void save(true)}>
              Save as a new one
            </Button>
          ) : null
        }
      >
        <TextField label="Name" value={name} onText={setName} maxLength={200} autofocus required />
        {known ? null : (
          <CheckField
            label="For me alone"
            hint={project ? "Else all who may ask SQL in this project see it and may change it." : "Else all who may ask SQL over all projects see it and may change it."}
            checked={personal}
            onCheck={setPersonal}
          />
        )}
      </SaveForm>
    </Dialog>
  );
}
