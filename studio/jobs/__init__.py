"""Jobs: accepted once, then finished or reported, whatever happens to the process."""

from studio.jobs.job import Job, JobSnapshot, Kind, State
from studio.jobs.jobs import Jobs

__all__ = ["Job", "JobSnapshot", "Jobs", "Kind", "State"]
