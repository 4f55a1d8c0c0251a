"""The vocabulary: frozen values without logic, which import nothing else of the package."""
