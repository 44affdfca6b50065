import { findProject, useSession } from "../../state/session";
import { EmptyState } from "../../ui/States";
import type { PageProps } from "../routes";
import { Dashboard } from "./Dashboard";

export function ProjectPage({ parts }: PageProps) {
  const session = useSession();
  const project = findProject(session, parts.name ?? "");
  if (!project)
    return (
      <EmptyState page title={`There is no project ${parts.name ?? ""} for you`}>
        <p>
          It may have been renamed, or you may not be let into it. <a href="/ui/">All projects</a>
        </p>
      </EmptyState>
    );
  return <Dashboard project={project} shared={false} />;
}
