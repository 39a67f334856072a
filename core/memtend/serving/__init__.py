"""What the services of one store are made of, one file per subject; `services.py` joins them."""
