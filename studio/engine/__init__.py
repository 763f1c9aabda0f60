"""From a GenerationRequest to its pictures, as a generator of events. Needs torch throughout."""
