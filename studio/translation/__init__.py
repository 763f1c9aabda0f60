"""Chinese prompts for models that read English only: the words are translated, the marks stay."""
