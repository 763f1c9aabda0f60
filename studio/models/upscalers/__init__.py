"""Networks that enlarge pictures: ESRGAN and its compact kin, read from safetensors."""
