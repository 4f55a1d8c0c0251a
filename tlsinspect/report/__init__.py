"""From values to reports: views, which know no format."""
