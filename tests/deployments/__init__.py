"""What lies in deployments/ for machines that this one is not: containers and services."""
